// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Listeners;

/// <summary>
/// The connection to the server that would serve a client of which nothing is known, made while the client is silent: if the server speaks
/// first, nobody has waited for the client.
/// </summary>
internal sealed class ServerAhead : IDialOwner
{
    private readonly AcceptedConnection _client;
    private readonly ChainPlan _chain;

    private ServerAhead(AcceptedConnection client, ChainPlan chain) => (_client, _chain) = (client, chain);

    /// <summary>Null where it came to nothing.</summary>
    internal Dial? Dial { get; private set; }

    /// <summary>Begins if the client's bytes would go to the server as they are; else null.</summary>
    internal static ServerAhead? Begin(ProxyLoop loop, AcceptedConnection client, ChainPlan? chain)
    {
        // A server must not learn of a client that policies refuse.
        if (chain?.Tcp is not { } tcp || chain.Tls is not null || loop.Plan.Access.WouldRefuse(client, chain) ||
            loop.Plan.FindCluster(Dial.ChooseCluster(tcp, loop.Random)) is not { } cluster)
        {
            return null;
        }

        var ahead = new ServerAhead(client, chain);
        ahead.Dial = new Dial(loop, client, cluster, tcp, ahead);
        ahead.Dial.Begin();
        return ahead;
    }

    /// <summary>It is what a client of this chain needs.</summary>
    internal bool Serves(ChainPlan? chain) => ReferenceEquals(chain, _chain);

    internal void End() => Dial?.End();

    public void OnDialed()
    {
    }

    public void OnServerSpoke() => _client.OnServerSpoke();

    public void OnDialFailed(Failure failure) => Dial = null;
}
