// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Authorization;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Routing;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Stacks;

/// <summary>Who is at the other end of a client's connection and where it was going; every exchange of the connection shares it.</summary>
internal sealed class ClientFacts
{
    private readonly HttpChain _service;
    private readonly byte[] _forwardedCertificate;
    private readonly StrongBox<IpEndpoint>? _socketPeer;
    private LoadedPlan? _plan;
    private Authorizer? _authorizer;
    private RouteTable<PlannedRoute>? _table;

    internal ClientFacts(ProxyLoop loop, HttpChain service, ByteChannel channel, AcceptedConnection accepted)
    {
        _service = service;
        PeerAddress = accepted.PeerAddress;
        _socketPeer = accepted.SocketPeer == accepted.PeerAddress ? null : new StrongBox<IpEndpoint>(accepted.SocketPeer);
        Served = accepted.Served;
        Destination = accepted.Facts.Destination;
        ServerName = accepted.Facts.ServerName;
        ListenerAddress = accepted.Listener.Address;
        IsTls = channel is TlsChannel;
        Peer = channel.Peer;
        var isOutside = channel is TlsChannel { IsFromOutside: true };

        // An outside client's names are not the mesh's to believe, whatever they look like.
        PeerPrincipal = Peer is null || isOutside ? "" : loop.PeerNames.Intern(Peer.Uri);
        _forwardedCertificate = Peer is null ? [] : isOutside ? Peer.ForwardedWhole() : Peer.ForwardedBy(loop.Contexts.OwnPrincipal);
    }

    internal IpEndpoint PeerAddress { get; }

    /// <summary>The connection's other end, whoever a PROXY header names.</summary>
    internal IpEndpoint SocketPeer => _socketPeer is null ? PeerAddress : _socketPeer.Value;

    /// <summary>Who that is to policies; null without mutual TLS.</summary>
    internal PeerName? Caller => PeerPrincipal.Length == 0 ? null : Peer!.Name;

    /// <summary>Without its port.</summary>
    internal byte[] PeerAddressText => field ??= Encoding.ASCII.GetBytes(PeerAddress.AddressText());

    internal bool IsTls { get; }

    /// <summary>What took the connection.</summary>
    internal Served Served { get; }

    /// <summary>The address that the client asked for.</summary>
    internal IpEndpoint Destination { get; }

    internal IpEndpoint ListenerAddress { get; }

    internal string ServerName { get; }

    /// <summary>Null where the connection is not mutual TLS.</summary>
    internal PeerIdentity? Peer { get; }

    /// <summary>Its id as text; empty without mutual TLS.</summary>
    internal string PeerPrincipal { get; }

    internal WorkloadNamePlan? PeerNames { get; set; }

    /// <summary>This hop's element of x-forwarded-client-cert; empty without mutual TLS.</summary>
    internal ReadOnlySpan<byte> ForwardedCertificate => _forwardedCertificate;

    /// <summary>What judges the connection's requests in a plan; null for nothing.</summary>
    internal Authorizer? AuthorizerIn(LoadedPlan plan)
    {
        Follow(plan);
        return _authorizer;
    }

    /// <summary>The chain's routes in a plan; asked per request, and remembered as long as the plan is the same.</summary>
    internal RouteTable<PlannedRoute>? TableIn(LoadedPlan plan)
    {
        Follow(plan);
        return _table;
    }

    private void Follow(LoadedPlan plan)
    {
        if (!ReferenceEquals(plan, _plan))
        {
            _plan = plan;
            _table = plan.TableOf(_service.Plan);
            _authorizer = plan.Access.Of(Served);
        }
    }
}
