// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;

namespace Weft.Protocols.Http2;

/// <summary>
/// One stream of a connection. The object is pooled: it belongs to the caller from <see cref="Http2Connection.Open"/> or
/// <see cref="IHttp2Events.OnRequest"/> to <see cref="IHttp2Events.OnClosed"/>.
/// </summary>
[SuppressMessage("Naming", "CA1711", Justification = "Stream is the protocol's own word.")]
public sealed class Http2Stream
{
    internal Http2Stream()
    {
    }

    /// <summary>Number on the wire; 0 for a stream that was opened and has sent no headers yet.</summary>
    public int Id { get; internal set; }

    /// <summary>Whatever the caller wants to find again in an event.</summary>
    public object? Owner { get; set; }

    /// <summary>The peer has ended its side.</summary>
    public bool HasReceivedEnd => (State & StreamState.ReceivedEnd) != StreamState.None;

    /// <summary>We have ended our side.</summary>
    public bool HasSentEnd => (State & StreamState.SentEnd) != StreamState.None;

    /// <summary>The stream was reset by either side; nothing more can be sent or will come.</summary>
    public bool IsReset => (State & StreamState.Reset) != StreamState.None;

    /// <summary>Bytes received and not given back by <see cref="Http2Connection.Consume"/>.</summary>
    public int Unconsumed { get; internal set; }

    internal StreamState State { get; set; }

    /// <summary>What the peer lets us send; below 0 after SETTINGS that took some back (RFC 9113 section 6.9.2).</summary>
    internal int SendWindow { get; set; }

    /// <summary>What the peer may send before it hears from us again.</summary>
    internal int ReceiveWindow { get; set; }

    /// <summary>Consumed bytes that no WINDOW_UPDATE has told the peer about.</summary>
    internal int Unreturned { get; set; }

    /// <summary>Bytes that must still come according to Content-Length, or -1.</summary>
    internal long Expected { get; set; }

    internal int InterimResponses { get; set; }

    /// <summary>Events of it that are being told: the object may not be used again yet.</summary>
    internal int Events { get; set; }

    /// <summary>Since when the stream waits to send, if it does.</summary>
    internal long WaitingSinceMs { get; set; }

    /// <summary>How long it waited before that for what it has to send, and how much it could send meanwhile.</summary>
    internal long WaitedMs { get; set; }

    internal int SentWhileWaiting { get; set; }

    /// <summary>Neighbours in the list of streams that wait to send.</summary>
    internal Http2Stream? NextWaiting { get; set; }

    internal Http2Stream? PreviousWaiting { get; set; }

    internal bool Is(StreamState flag) => (State & flag) != StreamState.None;

    internal void Clear()
    {
        Id = 0;
        Owner = null;
        Unconsumed = 0;
        State = StreamState.None;
        SendWindow = 0;
        ReceiveWindow = 0;
        Unreturned = 0;
        Expected = -1;
        InterimResponses = 0;
        Events = 0;
        WaitingSinceMs = 0;
        WaitedMs = 0;
        SentWhileWaiting = 0;
        NextWaiting = null;
        PreviousWaiting = null;
    }
}

/// <summary>What has happened to a stream so far.</summary>
[Flags]
internal enum StreamState : ushort
{
    None = 0,
    ReceivedEnd = 1,
    SentEnd = 2,
    Reset = 4,

    /// <summary>The request's or the final response's head was received.</summary>
    ReceivedHead = 8,

    SentHead = 16,

    /// <summary>It has its number and counts as open.</summary>
    OnWire = 32,

    /// <summary>It stands in the list of those that wait to send.</summary>
    Waiting = 64,

    /// <summary>We asked by HEAD, or by CONNECT: Content-Length of the answer is not about DATA.</summary>
    AskedHead = 128,
    AskedConnect = 256,

    /// <summary>Given back to the pool.</summary>
    Gone = 512,

    /// <summary>It never got a number and does not count as open any more.</summary>
    OffCount = 1024,
}
