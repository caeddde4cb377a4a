// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>
/// The server's side of one try, whatever protocol it speaks. Bodies pass as payload: framing is put on and taken off here.
/// </summary>
/// <remarks>
/// It tells its exchange <see cref="Exchange.OnUpstreamReady"/> when it may be written to, and then the parts of the response. Heads are
/// handed over as for <see cref="DownstreamStream"/>.
/// </remarks>
internal abstract class UpstreamStream
{
    /// <summary>It can be written to.</summary>
    internal abstract bool IsReady { get; }

    /// <summary>The connection was there before the request: its server may have closed it while the request was on its way.</summary>
    internal abstract bool IsReused { get; }

    /// <summary>No request has been written to the connection yet.</summary>
    internal abstract bool IsFirst { get; }

    /// <summary>Something of the response has come, though perhaps not a whole head.</summary>
    internal abstract bool HasInput { get; }

    internal abstract IpEndpoint LocalAddress { get; }

    /// <summary>The server's id as text; empty without mutual TLS.</summary>
    internal abstract string PeerPrincipal { get; }

    /// <summary>Bytes of the request that the server has not taken yet; above <see cref="ByteChannel.HighWater"/> the client is paused.</summary>
    internal abstract int Unsent { get; }

    /// <summary>Takes the head in the loop's output as the request's.</summary>
    internal abstract void WriteHead(BodyKind body);

    internal abstract void WriteBody(ReadOnlySpan<byte> payload);

    /// <summary>Ends the request and flushes.</summary>
    /// <param name="trailers">Field lines, each with CR LF; those that must not be trailers are left out.</param>
    internal abstract void WriteEnd(ReadOnlySpan<byte> trailers);

    internal abstract void Flush();

    /// <summary>Stops taking the response off the server until <see cref="ResumeResponse"/>.</summary>
    internal abstract void PauseResponse();

    internal abstract void ResumeResponse();

    /// <summary>The response is complete: the connection may serve others if <paramref name="requestComplete"/> holds, too.</summary>
    internal abstract void Release(bool requestComplete);

    /// <summary>Gives the try up: the server is told by a reset, the exchange hears nothing any more.</summary>
    internal abstract void Discard();

    /// <summary>Gives the connection away behind an upgrade; null where it is shared with others.</summary>
    internal abstract ByteChannel? Detach();
}
