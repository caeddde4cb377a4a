// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>
/// The client's side of one exchange, whatever protocol it speaks. Bodies pass as payload: framing is put on and taken off here.
/// </summary>
/// <remarks>
/// A head is handed over as text in the loop's output buffer: status line and field lines, without the lines that frame the message and
/// without the empty line. What is written after it is put behind it; <see cref="Flush"/> sends it all, so head and first bytes of the body
/// leave together. Between a write and its flush nobody else may use the loop's output buffer.
/// </remarks>
internal abstract class DownstreamStream
{
    /// <summary>The connection's facts, the same for all its streams.</summary>
    internal abstract ClientFacts Client { get; }

    internal abstract bool IsHttp2 { get; }

    /// <summary>The connection is this exchange's alone, so an upgrade may hand it over as a channel.</summary>
    internal abstract bool CanSplice { get; }

    /// <summary>Bytes of the answer that the client has not taken yet; above <see cref="ByteChannel.HighWater"/> the upstream is paused.</summary>
    internal abstract int Unsent { get; }

    /// <summary>Sends the head in the loop's output as an interim response (1xx).</summary>
    internal abstract void SendInterim();

    /// <summary>Takes the head in the loop's output as the response's.</summary>
    /// <param name="body">What follows it.</param>
    /// <param name="last">The request was not understood to its end: the connection cannot carry another one.</param>
    internal abstract void WriteHead(BodyKind body, bool last);

    internal abstract void WriteBody(ReadOnlySpan<byte> payload);

    /// <summary>Ends the response and flushes.</summary>
    /// <param name="trailers">Field lines, each with CR LF; those that must not be trailers are left out.</param>
    internal abstract void WriteEnd(ReadOnlySpan<byte> trailers);

    internal abstract void Flush();

    /// <summary>Stops taking the request's body off the client until <see cref="ResumeBody"/>.</summary>
    internal abstract void PauseBody();

    internal abstract void ResumeBody();

    /// <summary>Cuts the response off in its middle, so that the client does not take it for complete.</summary>
    internal abstract void Break();

    /// <summary>The connection carries another protocol from here on; the far side's channel comes with it.</summary>
    internal abstract void BecomeTunnel(ByteChannel far);

    /// <summary>From here on the client's bytes are a tunnel's: they come as the request's body, those that came early first.</summary>
    internal abstract void BeginTunnel();

    /// <summary>The exchange is over; its object must not be used any more.</summary>
    /// <param name="keep">The response is complete and was understood.</param>
    internal abstract void OnExchangeDone(bool keep);
}
