// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>
/// One end of one HTTP/2 connection (RFC 9113) as a state machine: bytes from the peer go in by <see cref="Receive"/>, bytes for the peer
/// gather in <see cref="Output"/>, and what happened is told to an <see cref="IHttp2Events"/>. It knows nothing of sockets, time or
/// threads; one thread uses it at a time.
/// </summary>
/// <remarks>After every call that may have written (all but plain getters) the caller sends <see cref="Output"/>.</remarks>
public sealed class Http2Connection
{
    /// <summary>Begins a connection: the preface and our settings stand in <see cref="Output"/>.</summary>
    /// <param name="pool">Shared by the connections of one thread; null for one of its own.</param>
    public Http2Connection(Http2Role role, Http2Limits limits, IHttp2Events events, Http2Pool? pool = null)
    {
        Role = role;
        Limits = limits;
        Events = events;
        Pool = pool ?? new Http2Pool();
    }

    public Http2Role Role { get; }

    public Http2Limits Limits { get; }

    public IHttp2Events Events { get; }

    public Http2Pool Pool { get; }

    /// <summary>Bytes for the peer that <see cref="Sent"/> has not taken off yet; valid until the next call.</summary>
    public ReadOnlySpan<byte> Output => throw new NotSupportedException();

    /// <summary>Why the connection is over; send <see cref="Output"/> (a GOAWAY stands at its end) and close.</summary>
    public Http2Failure? Failure => throw new NotSupportedException();

    /// <summary>The peer will not take new streams, or we promised not to open any.</summary>
    public bool IsDraining => throw new NotSupportedException();

    /// <summary>Nothing more will happen: the connection failed, or it was drained and its last stream has ended.</summary>
    public bool IsOver => throw new NotSupportedException();

    /// <summary>Streams that are open on the wire, whoever opened them.</summary>
    public int OpenStreams => throw new NotSupportedException();

    /// <summary>Client: streams that the peer lets us have open at once.</summary>
    public int PeerMaxStreams => throw new NotSupportedException();

    /// <summary>The peer's settings have arrived.</summary>
    public bool HasPeerSettings => throw new NotSupportedException();

    /// <summary>The peer takes CONNECT with <c>:protocol</c> (RFC 8441 section 3).</summary>
    public bool PeerAllowsExtendedConnect => throw new NotSupportedException();

    /// <summary>Client: a new stream can be opened at this moment.</summary>
    public bool CanOpen => throw new NotSupportedException();

    /// <summary>
    /// Takes any bytes from the peer, cut anywhere; all of them are used. False once the connection is over by <see cref="Failure"/>.
    /// </summary>
    /// <param name="nowMs">A clock that never goes back, for the limits per window.</param>
    public bool Receive(ReadOnlySpan<byte> bytes, long nowMs) => throw new NotSupportedException();

    /// <summary>The first <paramref name="count"/> bytes of <see cref="Output"/> have left. May lead to <see cref="IHttp2Events.OnWritable"/>.</summary>
    public void Sent(int count) => throw new NotSupportedException();

    /// <summary>To be called about once a second: finds stalled streams.</summary>
    public void Tick(long nowMs) => throw new NotSupportedException();

    /// <summary>Client: a new stream, or null if <see cref="CanOpen"/> is false. It gets its number from <see cref="BeginHeaders"/>.</summary>
    public Http2Stream? Open(object? owner) => throw new NotSupportedException();

    /// <summary>
    /// Server: stream 1 of a connection that an HTTP/1.1 request upgraded (RFC 7540 section 3.2); the peer has ended its side, the
    /// answer goes out on it. Null if the HTTP2-Settings are not readable: then refuse the upgrade. The preface is expected after it.
    /// </summary>
    /// <param name="settings">The value of HTTP2-Settings, base64url.</param>
    public Http2Stream? AcceptUpgrade(ReadOnlySpan<byte> settings, bool isHead, object? owner) => throw new NotSupportedException();

    /// <summary>
    /// Begins a header section: a request's or response's head, an interim response, or trailers. Fields follow by <see cref="Header"/>, pseudo-headers
    /// first, and <see cref="EndHeaders"/> completes it; nothing else may be called between. False if the stream can send no more.
    /// </summary>
    public bool BeginHeaders(Http2Stream stream) => throw new NotSupportedException();

    /// <summary>
    /// One field; the name is sent in lower case. A sensitive value is marked never to be remembered by anybody on the way; the values of
    /// authorization, cookie and set-cookie are treated so in any case.
    /// </summary>
    public void Header(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool sensitive = false) => throw new NotSupportedException();

    /// <summary>Completes the header section that <see cref="BeginHeaders"/> began.</summary>
    public void EndHeaders(bool endStream) => throw new NotSupportedException();

    /// <summary>
    /// Sends body bytes as far as windows and output let them through and returns how many were taken. If it is all of them,
    /// <paramref name="endStream"/> is taken too; if it is less, <see cref="IHttp2Events.OnWritable"/> tells when to go on. 0 on a stream
    /// that can send no more.
    /// </summary>
    public int SendData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream) => throw new NotSupportedException();

    /// <summary>Bytes that <see cref="SendData"/> would take now.</summary>
    public int Writable(Http2Stream stream) => throw new NotSupportedException();

    /// <summary>Gives received bytes back to the windows, so that the peer may send as many more.</summary>
    public void Consume(Http2Stream stream, int count) => throw new NotSupportedException();

    /// <summary>Gives a stream up: RST_STREAM if it is open, and <see cref="IHttp2Events.OnClosed"/> from inside this call.</summary>
    public void Reset(Http2Stream stream, Http2ErrorCode code) => throw new NotSupportedException();

    /// <summary>
    /// Asks the peer to open no more streams: GOAWAY with the largest number and a PING, then, when the answer shows that every stream on
    /// the way has arrived, the GOAWAY that counts (RFC 9113 section 6.8). A client sends the one GOAWAY at once.
    /// </summary>
    public void BeginDrain() => throw new NotSupportedException();

    /// <summary>Ends the connection with a GOAWAY; open streams end with <see cref="Http2ResetBy.Connection"/>.</summary>
    public void Close(Http2ErrorCode code, string text) => throw new NotSupportedException();

    /// <summary>Asks for a sign of life; <see cref="IHttp2Events.OnPong"/> brings the payload back.</summary>
    public void Ping(ulong payload) => throw new NotSupportedException();
}
