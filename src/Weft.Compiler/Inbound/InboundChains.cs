// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Gateways;
using Weft.Compiler.Outbound;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Inbound;

/// <summary>
/// Chains of the inbound listener. Every port with a mode of its own has chains for everything that can come, so that nothing of it
/// ever falls to the chains of unknown ports, whose mode may be weaker.
/// </summary>
internal sealed class InboundChains(MeshSettings settings, Origin? origin)
{
    private const string Tls = "tls";
    private const string Plain = "raw_buffer";

    private static readonly string[] _httpAlpn = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
    private static readonly string[] _tcpAlpn = ["istio", "istio-peer-exchange"];
    private static readonly string[] _everyAlpn = [.. _httpAlpn, .. _tcpAlpn];

    public IEnumerable<ChainPlan> ForPort(int port, PortProtocol protocol, PeerMode mode) =>
        For(port, protocol, mode, Names.Inbound(port), Names.Listener(Names.AnyAddress, port));

    /// <summary>Port 0 is every port that has no chains of its own.</summary>
    public IEnumerable<ChainPlan> ForUnknownPort(int port, PeerMode mode) =>
        For(port, PortProtocol.Auto, mode, Names.InboundPassthrough, port == 0 ? Names.VirtualInbound : Names.Listener(Names.AnyAddress, port));

    /// <summary>TLS of the operator's own; whoever comes without it is not served.</summary>
    public IEnumerable<ChainPlan> ForOwnTls(int port, PortProtocol protocol, ServerTls tls)
    {
        var name = Names.Listener(Names.AnyAddress, port);
        var isHttp = Protocols.IsHttp(protocol);
        var ended = GatewayTls.Compile(tls, settings.TrustDomains, isHttp);
        yield return isHttp
            ? Http($"{name}-own-tls", Match(port, Tls, []), ended, Names.Inbound(port), port, protocol == PortProtocol.Grpc)
            : Tcp($"{name}-own-tls", Match(port, Tls, []), ended, Names.Inbound(port));
        yield return Tcp($"{name}-plain", Match(port, Plain, []), null, Names.BlackHole);
    }

    private IEnumerable<ChainPlan> For(int port, PortProtocol protocol, PeerMode mode, string cluster, string name)
    {
        var grpcWeb = protocol == PortProtocol.Grpc;
        var http = !(protocol is PortProtocol.Tcp or PortProtocol.Tls);
        if (!http && mode == PeerMode.Disable)
        {
            // Nothing that the client could say first decides anything, so nobody waits for it.
            yield return Tcp($"{name}-tcp", Match(port, "", []), null, cluster);
            yield break;
        }

        if (mode != PeerMode.Disable)
        {
            if (http)
            {
                yield return Http($"{name}-mtls-http", Match(port, Tls, _httpAlpn), Mutual("h2", "http/1.1"), cluster, port, grpcWeb);
            }

            yield return Tcp($"{name}-mtls", Match(port, Tls, http ? _tcpAlpn : _everyAlpn), Mutual("istio"), cluster);
        }

        if (mode == PeerMode.Strict)
        {
            if (port != 0)
            {
                // Plain text must end here and not at the chains of unknown ports.
                yield return Tcp($"{name}-strict", Match(port, "", []), null, Names.BlackHole);
            }

            yield break;
        }

        if (Protocols.IsHttp(protocol))
        {
            yield return Http($"{name}-http", Match(port, Plain, []), null, cluster, port, grpcWeb);
        }
        else if (Protocols.IsSniffed(protocol))
        {
            yield return Http($"{name}-http", Match(port, Plain, Defaults.SniffedHttp), null, cluster, port, grpcWeb);
        }

        // Chains are chosen condition by condition without a way back, so TLS of the application's own, which passes untouched, and
        // other plain text need chains of their own.
        yield return Tcp($"{name}-tls", Match(port, Tls, []), null, cluster);
        if (!Protocols.IsHttp(protocol))
        {
            yield return Tcp($"{name}-tcp", Match(port, Plain, []), null, cluster);
        }
    }

    private static ChainMatchPlan Match(int port, string transport, string[] protocols) =>
        ChainMatchPlan.Any with { DestinationPort = port, TransportProtocol = transport, ApplicationProtocols = [.. protocols] };

    private DownstreamTlsPlan Mutual(params string[] alpn) => new(true, settings.TrustDomains, [.. alpn]);

    private ChainPlan Http(string name, ChainMatchPlan match, DownstreamTlsPlan? tls, string cluster, int port, bool grpcWeb)
    {
        var host = new VirtualHostPlan(
            $"inbound|http|{Names.Number(port)}", ["*"], [Defaults.RouteTo(Names.DefaultRoute, cluster, null)]);
        return new ChainPlan(
            name,
            match,
            tls,
            new HttpChainPlan(
                $"inbound_{(port == 0 ? Names.InboundPassthrough : Names.Listener(Names.AnyAddress, port))}",
                "",
                new RouteTablePlan(cluster, [host]),
                TrafficDirection.Inbound)
            {
                GrpcWeb = grpcWeb,
                Path = settings.Path,
            },
            null,
            origin);
    }

    private ChainPlan Tcp(string name, ChainMatchPlan match, DownstreamTlsPlan? tls, string cluster) =>
        new(name, match, tls, null, Defaults.Tcp(cluster, cluster), origin);
}
