// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>
/// What the owner of a connection hears, from inside <see cref="Http2Connection.Receive"/>, <see cref="Http2Connection.Sent"/> and
/// <see cref="Http2Connection.Tick"/>. Spans are valid during the call only. Every sending method of any connection may be called from here;
/// <see cref="Http2Connection.Receive"/> of a connection with the same pool may not.
/// </summary>
public interface IHttp2Events
{
    /// <summary>Server: a request began. Set <see cref="Http2Stream.Owner"/> here.</summary>
    void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream);

    /// <summary>Client: a response began, or an interim one came before it (status under 200, never at the end of the stream).</summary>
    void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream);

    /// <summary>
    /// A part of the body, perhaps empty at the end of the stream. Each byte stays charged to the windows until
    /// <see cref="Http2Connection.Consume"/> gives it back; padding is not seen.
    /// </summary>
    void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream);

    /// <summary>Trailers; they end the peer's side of the stream.</summary>
    void OnTrailers(Http2Stream stream, in Http2Fields fields);

    /// <summary>A stream whose last <see cref="Http2Connection.SendData"/> took less than it was given can take more now.</summary>
    void OnWritable(Http2Stream stream);

    /// <summary>The stream ended before its time; <see cref="OnClosed"/> follows. Not called for resets that the caller asked for.</summary>
    void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by);

    /// <summary>
    /// The stream is over on both sides and every byte was consumed. Forget it: the object will be another stream soon.
    /// </summary>
    void OnClosed(Http2Stream stream);

    /// <summary>The peer's settings arrived: <see cref="Http2Connection.CanOpen"/> and what else follows from them may have changed.</summary>
    void OnSettings();

    /// <summary>
    /// The peer takes no new streams. Streams that it never looked at are reset (<see cref="Http2ResetBy.NotProcessed"/>) before this call.
    /// </summary>
    void OnGoAway(Http2ErrorCode code, ReadOnlySpan<byte> text);

    /// <summary>The answer to <see cref="Http2Connection.Ping"/>.</summary>
    void OnPong(ulong payload);
}

/// <summary>Who ended a stream, and so whether it may be tried again.</summary>
public enum Http2ResetBy : byte
{
    /// <summary>The peer sent RST_STREAM with this code.</summary>
    Peer,

    /// <summary>The peer broke a rule, so we reset the stream with this code.</summary>
    Rule,

    /// <summary>GOAWAY says that the peer never processed it: safe to try again, whatever the method.</summary>
    NotProcessed,

    /// <summary>The whole connection failed; see <see cref="Http2Connection.Failure"/>.</summary>
    Connection,

    /// <summary>The peer did not let us send for too long (<see cref="Http2Limits.StallMs"/>).</summary>
    Stall,
}
