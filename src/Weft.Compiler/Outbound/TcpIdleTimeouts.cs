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
        foreach (var service in view.Scope.Services)
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
            : listeners.Select(l => With(index, l, timeouts)).ToEquatableArray();
    }

    private static ListenerPlan With(MeshSnapshot index, ListenerPlan listener, Dictionary<string, int> timeouts)
    {
        var chains = listener.Chains.Append(listener.DefaultChain).Select(c => TimeoutOf(c, timeouts)).ToList();
        return chains.All(t => t is null)
            ? listener
            : index.Parts.Get(
                new PartKey("idle", listener, null, null, string.Join(' ', chains)),
                () => listener with
                {
                    Chains = listener.Chains.Zip(chains, With).ToEquatableArray(),
                    DefaultChain = listener.DefaultChain is { } last ? With(last, chains[^1]) : null,
                });
    }

    private static int? TimeoutOf(ChainPlan? chain, Dictionary<string, int> timeouts)
    {
        if (chain?.Tcp is not { } tcp)
        {
            return null;
        }

        // Subsets, and the pods of a headless service, have their name in the third place; the policy is their service's.
        var name = tcp.Clusters[0].Cluster.Split('|') is [var direction, var port, _, var host] ? $"{direction}|{port}||{host}" : tcp.Clusters[0].Cluster;
        return timeouts.TryGetValue(name, out var timeout) ? timeout : null;
    }

    private static ChainPlan With(ChainPlan chain, int? timeout) =>
        timeout is { } milliseconds ? chain with { Tcp = chain.Tcp! with { IdleTimeoutMs = milliseconds } } : chain;
}
