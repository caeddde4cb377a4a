// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Upstreams;

/// <summary>Opens connections to endpoints, with TLS where the target says so.</summary>
internal sealed class Connector(EventLoop loop, TlsEngine tls, TlsContexts contexts)
{
    private static readonly EquatableArray<string> _httpProtocols = ["istio-http/1.1", "istio", "http/1.1"];
    private static readonly EquatableArray<string> _tcpProtocols = ["istio"];

    /// <summary>Begins to connect; the handler hears the rest. Null, with the reason, where not even that is possible.</summary>
    /// <param name="target">Where to and how.</param>
    /// <param name="handler">Hears of the connection, its bytes and its end.</param>
    /// <param name="problem">Why there is none.</param>
    /// <param name="preamble">Sent before anything else, TLS too; empty for nothing.</param>
    internal ByteChannel? Open(UpstreamTarget target, IByteHandler handler, out string? problem, ReadOnlySpan<byte> preamble = default)
    {
        problem = null;
        TlsContext? context = null;
        if (target.Tls is not null)
        {
            context = contexts.ForClient(target.Tls);
            if (context is null)
            {
                // Never fall back to plain bytes: the other side would take them for an unauthenticated peer's.
                problem = "this proxy has no certificate yet";
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

        if (!preamble.IsEmpty)
        {
            socket.Write(preamble);
        }

        ByteChannel channel = context is null ? socket : new TlsChannel(tls, context, socket, handler);
        channel.ResumeReading();
        return channel;
    }

    /// <summary>The TLS for one endpoint: none for auto mTLS towards an endpoint without a proxy; ALPN tells the server what follows.</summary>
    internal static UpstreamTlsPlan? TlsFor(UpstreamTlsPlan? plan, bool meshed, bool isHttp)
    {
        if (plan is null || (plan.Mode == UpstreamTlsMode.Auto && !meshed))
        {
            return null;
        }

        if (plan.Mode == UpstreamTlsMode.Simple)
        {
            return plan with { AlpnProtocols = Offered(plan.AlpnProtocols, isHttp) };
        }

        var offered = Offered(plan.AlpnProtocols, isHttp);
        return plan with { AlpnProtocols = offered.Count > 0 ? offered : isHttp ? _httpProtocols : _tcpProtocols };
    }

    /// <summary>A connection that carries no HTTP must not be announced as one; HTTP/2 is not spoken to servers yet.</summary>
    private static EquatableArray<string> Offered(EquatableArray<string> planned, bool isHttp) => planned
        .Where(protocol => protocol is not ("h2" or "istio-h2") && (isHttp || !protocol.Contains("http/", StringComparison.Ordinal)))
        .ToEquatableArray();
}
