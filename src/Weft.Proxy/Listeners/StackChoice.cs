// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Authorization;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tls;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Listeners;

/// <summary>Gives a connection whose chain is known, and whose TLS has ended, to what the chain is made for.</summary>
internal static class StackChoice
{
    /// <param name="loop">The connection's loop.</param>
    /// <param name="channel">With TLS taken off.</param>
    /// <param name="accepted">What is known of it.</param>
    /// <param name="chain">The one that serves it.</param>
    /// <param name="ahead">The connection to the server, where it was made already.</param>
    /// <param name="first">Bytes that the client has sent.</param>
    internal static void Start(ProxyLoop loop, ByteChannel channel, AcceptedConnection accepted, ChainPlan chain, Dial? ahead, Span<byte> first)
    {
        if (chain.Http is { } http)
        {
            StartHttp(loop, channel, accepted, http, first);
        }
        else if (chain.Tcp is { } tcp)
        {
            // Nobody may hear of a client that may not be heard.
            if (loop.Plan.Access.Judge(accepted, Authorizers.CallerOf(channel)) is { } refusal)
            {
                Observe.Refused(loop, accepted, new Failure(FailureKind.Denied, refusal));
                ahead?.End();
                channel.Abort();
                return;
            }

            TunnelStack.Start(loop, channel, accepted, tcp, ahead, first);
        }
        else if (chain.Hbone is { } hbone)
        {
            HboneServer.Start(loop, channel, accepted, hbone, first);
        }
        else
        {
            channel.Abort();
        }
    }

    private static void StartHttp(ProxyLoop loop, ByteChannel channel, AcceptedConnection accepted, HttpChainPlan http, Span<byte> first)
    {
        var service = loop.Plan.ChainOf(http);
        var client = new ClientFacts(loop, service, channel, accepted);
        IByteHandler connection = SpeaksHttp2(channel, accepted.Facts)
            ? new Http2Downstream(loop, service, channel, client)
            : new Http1Downstream(loop, service, channel, client);
        channel.ResumeReading();
        if (!first.IsEmpty)
        {
            connection.OnData(first);
        }
    }

    /// <summary>What ALPN agreed upon; without it, what the first bytes said. A preface that comes all the same is understood, too.</summary>
    private static bool SpeaksHttp2(ByteChannel channel, ConnectionFacts facts) =>
        channel is TlsChannel tls ? tls.Alpn is "h2" or "istio-h2" : facts.Protocols is ["h2c"];
}
