// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using Weft.Protocols.Hpack;

namespace Weft.Protocols.Http2;

/// <summary>
/// One end of one HTTP/2 connection (RFC 9113) as a state machine: bytes from the peer go in by <see cref="Receive"/>, bytes for the peer
/// gather in <see cref="Output"/>, and what happened is told to an <see cref="IHttp2Events"/>. It knows nothing of sockets, time or
/// threads; one thread uses it at a time.
/// </summary>
/// <remarks>After every call that may have written (all but plain getters) the caller sends <see cref="Output"/>.</remarks>
public sealed partial class Http2Connection
{
    private const int DefaultWindow = 65_535;
    private const int DefaultFrameBytes = 16_384;
    private const int LargestStreamId = int.MaxValue;

    private readonly StreamTable _streams = new();
    private readonly OutputBuffer _output;
    private readonly HpackDecoder _decoder = new();
    private readonly HpackEncoder _encoder;
    private FloodWindow _window;
    private long _nowMs;
    private int _openStreams;
    private int _queuedControlFrames;

    /// <summary>Begins a connection: the preface and our settings stand in <see cref="Output"/>.</summary>
    /// <param name="pool">Shared by the connections of one thread; null for one of its own.</param>
    public Http2Connection(Http2Role role, Http2Limits limits, IHttp2Events events, Http2Pool? pool = null)
    {
        Role = role;
        Limits = limits;
        Events = events;
        Pool = pool ?? new Http2Pool();
        _output = new OutputBuffer(Pool.Buffers);
        _encoder = new HpackEncoder(limits.MaxEncoderTableBytes, limits.CompressText);
        _part = role == Http2Role.Server ? Part.Preface : Part.FrameHeader;
        if (role == Http2Role.Client)
        {
            _output.Append(Preface);
        }

        WriteSettings();
        var more = limits.ConnectionWindowBytes - DefaultWindow;
        _receiveWindow = limits.ConnectionWindowBytes;
        if (more > 0)
        {
            WriteWindowUpdate(0, more);
        }

        _queuedControlFrames = 0;
    }

    public Http2Role Role { get; }

    public Http2Limits Limits { get; }

    public IHttp2Events Events { get; }

    public Http2Pool Pool { get; }

    /// <summary>Bytes for the peer that <see cref="Sent"/> has not taken off yet; valid until the next call.</summary>
    public ReadOnlySpan<byte> Output => _output.Written;

    /// <summary>Why the connection is over; send <see cref="Output"/> (a GOAWAY stands at its end) and close.</summary>
    public Http2Failure? Failure { get; private set; }

    /// <summary>No new streams: the peer said so, or we did, or the numbers are used up.</summary>
    public bool IsDraining => _drain != Drain.None || _peerIsLeaving || _nextStream / 2 >= Limits.MaxStreams;

    /// <summary>Nothing more will happen: the connection failed, or it was drained and its last stream has ended.</summary>
    public bool IsOver => Failure is not null || (_openStreams == 0 && (_drain == Drain.Final || _peerIsLeaving));

    /// <summary>Streams that are open, whoever opened them.</summary>
    public int OpenStreams => _openStreams;

    /// <summary>Client: streams that the peer lets us have open at once.</summary>
    public int PeerMaxStreams => _peerMaxStreams;

    /// <summary>The peer's settings have arrived.</summary>
    public bool HasPeerSettings { get; private set; }

    /// <summary>The peer takes CONNECT with <c>:protocol</c> (RFC 8441 section 3).</summary>
    public bool PeerAllowsExtendedConnect { get; private set; }

    /// <summary>Client: a new stream can be opened at this moment.</summary>
    public bool CanOpen => Role == Http2Role.Client && Failure is null && !IsDraining && _openStreams < _peerMaxStreams;

    /// <summary>What the last malformed message was; for tests and logs.</summary>
    internal MessageFault LastFault { get; private set; }

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>The first <paramref name="count"/> bytes of <see cref="Output"/> have left. May lead to <see cref="IHttp2Events.OnWritable"/>.</summary>
    public void Sent(int count)
    {
        _output.TakeOff(count);
        if (_output.Length == 0)
        {
            _queuedControlFrames = 0;
        }

        // Not for every few bytes: half of the room is worth an event.
        if (_firstWaiting is not null && _output.Length <= Limits.MaxQueuedOutputBytes / 2)
        {
            WakeWaiting();
        }
    }

    /// <summary>To be called about once a second: finds stalled streams and completes a drain whose PING is not answered.</summary>
    public void Tick(long nowMs)
    {
        _nowMs = Math.Max(_nowMs, nowMs);
        if (Failure is not null)
        {
            return;
        }

        ResetStalled();
        if (_drain == Drain.Announced && _nowMs - _drainSinceMs >= Limits.DrainPatienceMs)
        {
            FinishDrain();
        }
    }

    /// <summary>Asks for a sign of life; <see cref="IHttp2Events.OnPong"/> brings the payload back.</summary>
    public void Ping(ulong payload)
    {
        if (Failure is null)
        {
            WriteFrameHeader(8, FrameType.Ping, FrameFlag.None, 0);
            BinaryPrimitives.WriteUInt64BigEndian(_output.Reserve(8), payload);
            _output.Advance(8);
        }
    }

    /// <summary>Ends the connection with a GOAWAY; open streams end with <see cref="Http2ResetBy.Connection"/>.</summary>
    public void Close(Http2ErrorCode code, string text) => Fail(code, text);

    private void FailByPeer(Http2ErrorCode code, string text)
    {
        if (Failure is null)
        {
            Pool.Count.ConnectionErrors++;
        }

        Fail(code, text);
    }

    /// <summary>Ends the connection because the peer passed a limit.</summary>
    private void FailByFlood(string limit, int value)
    {
        if (Failure is null)
        {
            Pool.Count.Floods++;
        }

        Fail(Http2ErrorCode.EnhanceYourCalm, $"The peer passed {limit} ({value}).");
    }

    private void Fail(Http2ErrorCode code, string text)
    {
        if (Failure is not null)
        {
            return;
        }

        Failure = new Http2Failure(code, text);
        WriteGoAway(_lastPeerStream, code, text);
        ForgetInput();
        for (var slot = _streams.Length - 1; slot >= 0; slot--)
        {
            // Removing moves others into the slot; they are met again at once.
            while (_streams.At(slot) is { } stream)
            {
                EndEarly(stream, code, Http2ResetBy.Connection);
            }
        }
    }
}
