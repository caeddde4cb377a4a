// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Authorization;

/// <summary>The authorizers of one plan. Chains that say the same share one; what the predecessor compiled is taken over.</summary>
internal sealed class Authorizers
{
    private readonly Dictionary<EquatableArray<AuthorizationPlan>, Authorizer> _compiled = [];
    private readonly Dictionary<(string Listener, string Chain, ChainMatchPlan Match), Authorizer?> _byChain = [];

    /// <summary>Throws <see cref="FormatException"/> naming what cannot be compiled; the plan in force then stays.</summary>
    internal Authorizers(ProxyPlan plan, Authorizers? before)
    {
        Counters = new AccessCounters(before?.Counters);
        foreach (var listener in plan.Listeners)
        {
            foreach (var chain in listener.Chains)
            {
                Add(listener, chain, before);
            }

            if (listener.DefaultChain is { } last)
            {
                Add(listener, last, before);
            }
        }

        Counters.Forget();
    }

    internal AccessCounters Counters { get; }

    /// <summary>
    /// What judges a connection of that chain as this plan has it; null for nothing. A chain that the plan has no more is judged as it was
    /// when it took the connection.
    /// </summary>
    internal Authorizer? Of(in Served served)
    {
        if (served.Chain is not { } chain)
        {
            return null;
        }

        return _byChain.TryGetValue((served.Listener.Name, chain.Name, chain.Match), out var known) ? known
            : chain.Authorization.Count == 0 ? null
            : new Authorizer(chain.Authorization, new AccessCounters(null));
    }

    /// <summary>Null if the connection may pass to an application that gets its bytes as they are; else why not.</summary>
    internal string? Judge(AcceptedConnection connection, PeerName? peer, bool counts = true) =>
        Of(connection.Served)?.Judge(FactsOf(connection, peer), counts);

    /// <summary>Who a connection is of; an outside client's names are not the mesh's to believe.</summary>
    internal static PeerName? CallerOf(ByteChannel channel) => channel is TlsChannel { IsFromOutside: true } ? null : channel.Peer?.Name;

    /// <summary>The same in advance, of a connection that may come to a chain without TLS.</summary>
    internal bool WouldRefuse(AcceptedConnection connection, ChainPlan chain) =>
        Of(new Served(connection.Listener.Plan, chain))?.Judge(FactsOf(connection, null), counts: false) is not null;

    private static AccessFacts FactsOf(AcceptedConnection connection, PeerName? peer) => new()
    {
        Peer = peer,
        Source = connection.SocketPeer,
        Client = connection.PeerAddress,
        Destination = connection.Facts.Destination,
        ServerName = connection.Facts.ServerName,
    };

    private void Add(ListenerPlan listener, ChainPlan chain, Authorizers? before)
    {
        Authorizer? authorizer = null;
        if (chain.Authorization.Count > 0 && !_compiled.TryGetValue(chain.Authorization, out authorizer))
        {
            authorizer = before?._compiled.GetValueOrDefault(chain.Authorization);
            if (authorizer is null)
            {
                authorizer = new Authorizer(chain.Authorization, Counters);
            }
            else
            {
                foreach (var plan in authorizer.Plans)
                {
                    _ = Counters.Of(plan, "none");
                    foreach (var rule in plan.Rules)
                    {
                        _ = Counters.Of(plan, rule.Name);
                    }
                }
            }

            _compiled.Add(chain.Authorization, authorizer);
        }

        _byChain.TryAdd((listener.Name, chain.Name, chain.Match), authorizer);
    }
}
