// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tls;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Upstreams;

/// <summary>Opens connections to endpoints, with TLS where the target says so.</summary>
internal sealed class Connector(EventLoop loop, TlsEngine tls, TlsContexts contexts)
{
    private static readonly EquatableArray<string> _meshHttp1 = ["istio-http/1.1", "istio", "http/1.1"];
    private static readonly EquatableArray<string> _meshHttp2 = ["istio-h2", "istio", "h2"];
    private static readonly EquatableArray<string> _meshOpaque = ["istio"];
    private static readonly EquatableArray<string> _outsideHttp2 = ["h2"];

    /// <summary>Opens what travels inside another connection.</summary>
    internal HboneClients? Tunnels { get; init; }

    /// <summary>Begins to connect; the handler hears the rest. Null, with the reason, where not even that is possible.</summary>
    /// <param name="target">Where to and how.</param>
    /// <param name="handler">Hears of the connection, its bytes and its end.</param>
    /// <param name="problem">Why there is none.</param>
    /// <param name="preamble">Sent before anything else, TLS too; empty for nothing.</param>
    internal ByteChannel? Open(UpstreamTarget target, IByteHandler handler, out string? problem, ReadOnlySpan<byte> preamble = default)
    {
        problem = null;
        if (target.TunnelPort > 0)
        {
            var tunnel = Tunnels!.Open(target, handler, out problem);
            tunnel?.Write(preamble);
            return tunnel;
        }

        TlsContext? context = null;
        if (target.Tls is not null)
        {
            context = contexts.ForClient(target.Tls, out var missing);
            if (context is null)
            {
                // Never fall back to plain bytes: the other side would take them for an unauthenticated peer's.
                problem = missing;
                return null;
            }
        }

        Channel socket;
        try
        {
            socket = loop.Connect(target.Address, target.Source, handler);
        }
        catch (IoException failure)
        {
            problem = failure.Message;
            return null;
        }

        if (target.KeepAlive is { } keepAlive)
        {
            SocketSettings.KeepAlive(socket.Fd, keepAlive.TimeSeconds, keepAlive.IntervalSeconds, keepAlive.Probes);
        }

        if (!preamble.IsEmpty)
        {
            socket.Write(preamble);
        }

        ByteChannel channel = context is null ? socket : new TlsChannel(tls, context, socket, handler);
        channel.ResumeReading();
        return channel;
    }

    /// <summary>The TLS for one endpoint: none for auto mTLS towards an endpoint without a proxy; ALPN tells the server what follows.</summary>
    internal static UpstreamTlsPlan? TlsFor(UpstreamTlsPlan? plan, bool meshed, WireProtocol protocol)
    {
        if (plan is null || (plan.Mode == UpstreamTlsMode.Auto && !meshed))
        {
            return null;
        }

        // What the plan offers for another protocol would announce what does not follow.
        var offered = plan.AlpnProtocols.Where(name => Announces(name, protocol)).ToEquatableArray();
        if (plan.Mode == UpstreamTlsMode.Simple)
        {
            return plan with { AlpnProtocols = offered.Count == 0 && protocol == WireProtocol.Http2 ? _outsideHttp2 : offered };
        }

        return plan with { AlpnProtocols = offered.Any(name => name != "istio") ? offered : InMesh(protocol) };
    }

    private static bool Announces(string name, WireProtocol protocol) => name switch
    {
        "h2" or "istio-h2" => protocol == WireProtocol.Http2,
        _ when name.Contains("http/", StringComparison.Ordinal) => protocol == WireProtocol.Http1,
        _ => true,
    };

    private static EquatableArray<string> InMesh(WireProtocol protocol) => protocol switch
    {
        WireProtocol.Http1 => _meshHttp1,
        WireProtocol.Http2 => _meshHttp2,
        _ => _meshOpaque,
    };
}
