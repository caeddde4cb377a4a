// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Compiler.Explain;

/// <summary>What the server's own proxy does with a connection: the last decision about a request.</summary>
/// <param name="Reason">The decision and the object that made it.</param>
/// <param name="IsTaken">False if the connection is closed.</param>
/// <param name="Access">What policies say of what is taken; null where nothing is.</param>
public sealed record ServerWalk(Reason Reason, bool IsTaken, AccessWalk? Access)
{
    /// <summary>Follows a connection, and its request, to the plan's workload; <paramref name="mutual"/> says if the client brings its identity.</summary>
    public static ServerWalk Explain(ProxyPlan plan, bool mutual, AccessQuestion question)
    {
        var port = question.Port;
        var transport = mutual ? "tls" : "raw_buffer";
        var chains = ChainsOf(plan, port);

        // Condition by condition, without a way back: where a chain asks for the transport, those that ask for none are out.
        var fitting = chains.FindAll(c => c.Match.TransportProtocol == transport);
        var chain = (fitting.Count > 0 ? fitting : chains.FindAll(c => c.Match.TransportProtocol.Length == 0))
            .MaxBy(c => (c.Tls is not null) == mutual ? 1 : 0);
        var closed = chain is null || (chain.Tcp is { } tcp && tcp.Clusters.All(t => t.Cluster == Names.BlackHole));
        var fact = (closed, mutual) switch
        {
            (true, false) => "closed: the server takes mutual TLS only, and this connection brings none",
            (true, true) => "closed: no chain takes mutual TLS",
            (false, true) when chain!.Tls is not null => "mutual TLS, the caller's identity is checked",
            (false, true) => "passed through: the server's proxy ends no TLS",
            _ => "plain text is taken (PERMISSIVE or DISABLE)",
        };
        if (closed)
        {
            return new ServerWalk(new Reason("server", fact, chain?.Origin), false, null);
        }

        var seen = question with
        {
            Principal = mutual && chain!.Tls is not null ? question.Principal : "",
            Request = chain!.Http is null ? null : question.Request,
        };
        return new ServerWalk(new Reason("server", fact, chain.Origin), true, AccessWalk.Explain(chain.Authorization, seen));
    }

    /// <summary>The chains for a port of the workload: its own, or those of all ports that have none.</summary>
    internal static List<ChainPlan> ChainsOf(ProxyPlan plan, int port)
    {
        var inbound = plan.Listeners.FirstOrDefault(l => l.Direction == TrafficDirection.Inbound && l.UseOriginalDestination);
        var chains = inbound?.Chains.Where(c => c.Match.DestinationPort == port).ToList() ?? [];
        return chains.Count > 0 ? chains : inbound?.Chains.Where(c => c.Match.DestinationPort == 0).ToList() ?? [];
    }
}
