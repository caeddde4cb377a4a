// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Compiler.Outbound;

/// <summary>
/// Idle timeouts of TCP connections, which a client's rules about a destination set in the listeners that all clients share otherwise.
/// </summary>
internal static class TcpIdleTimeouts
{
    public static EquatableArray<ListenerPlan> Apply(MeshSnapshot index, ClientView view, EquatableArray<ListenerPlan> listeners)
    {
        var timeouts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var service in index.Services)
        {
            foreach (var port in service.Ports)
            {
                var merged = view.Destination(service);
                if (merged is not null &&
                    Target.PolicyOf(service, port.Port, null, merged).Connections?.Value is { TcpIdleTimeoutMs: > 0 and var timeout })
                {
                    timeouts.Add(Names.Outbound(port.Port, "", service.Host), timeout);
                }
            }
        }

        return timeouts.Count == 0
            ? listeners
            : listeners.Select(l => TimeoutOf(l.DefaultChain, timeouts) is { } other
                    ? With(index, l, other, inDefault: true)
                    : l.Chains.Count == 1 && TimeoutOf(l.Chains[0], timeouts) is { } own ? With(index, l, own, inDefault: false) : l)
                .ToEquatableArray();
    }

    private static int? TimeoutOf(ChainPlan? chain, Dictionary<string, int> timeouts)
    {
        if (chain?.Tcp is not { Clusters: [var only] })
        {
            return null;
        }

        // A pod of a headless service stands where subsets have their name; the policy is its service's.
        var name = only.Cluster.Split('|') is [var direction, var port, _, var host] ? $"{direction}|{port}||{host}" : only.Cluster;
        return timeouts.TryGetValue(name, out var timeout) ? timeout : null;
    }

    private static ListenerPlan With(MeshSnapshot index, ListenerPlan listener, int timeout, bool inDefault) => index.Parts.Get(
        new PartKey("idle", listener, null, null, Names.Number(timeout)),
        () => inDefault
            ? listener with { DefaultChain = With(listener.DefaultChain!, timeout) }
            : listener with { Chains = [With(listener.Chains[0], timeout)] });

    private static ChainPlan With(ChainPlan chain, int timeout) => chain with { Tcp = chain.Tcp! with { IdleTimeoutMs = timeout } };
}
