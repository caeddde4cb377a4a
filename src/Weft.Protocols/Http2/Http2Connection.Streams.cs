// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <content>The life of streams (RFC 9113 section 5.1) and the end of the connection (section 6.8).</content>
public sealed partial class Http2Connection
{
    private int _lastPeerStream;
    private int _lastTakenStream;
    private int _nextStream = 1;
    private ResetMemory? _resets;
    private Drain _drain;
    private long _drainSinceMs;
    private bool _peerIsLeaving;

    /// <summary>How far we are in taking leave.</summary>
    private enum Drain : byte
    {
        None,

        /// <summary>The first GOAWAY is out; what the peer began before it saw it is welcome.</summary>
        Announced,

        /// <summary>The GOAWAY that counts is out.</summary>
        Final,
    }

    /// <summary>Client: a new stream, or null if <see cref="CanOpen"/> is false. It gets its number from <see cref="BeginHeaders"/>.</summary>
    public Http2Stream? Open(object? owner)
    {
        if (!CanOpen)
        {
            return null;
        }

        var stream = Pool.RentStream();
        stream.Owner = owner;
        _openStreams++;
        return stream;
    }

    /// <summary>
    /// Gives a stream up: RST_STREAM if it is open on the wire. <see cref="IHttp2Events.OnClosed"/> comes from inside this call, or at the
    /// end of the event of this stream that is being told. Bytes that were not consumed are given back.
    /// </summary>
    public void Reset(Http2Stream stream, Http2ErrorCode code)
    {
        if (stream.Is(StreamState.Reset | StreamState.Gone))
        {
            return;
        }

        if (stream.Is(StreamState.OnWire))
        {
            WriteReset(stream.Id, code);
        }

        Discard(stream);
        FinishIfDone(stream);
    }

    /// <summary>
    /// Asks the peer to open no more streams: GOAWAY with the largest number and a PING, then, when the answer shows that every stream on
    /// the way has arrived, the GOAWAY that counts (RFC 9113 section 6.8). A client sends the one GOAWAY at once.
    /// </summary>
    public void BeginDrain()
    {
        if (_drain != Drain.None || Failure is not null)
        {
            return;
        }

        if (Role == Http2Role.Client)
        {
            FinishDrain();
            return;
        }

        _drain = Drain.Announced;
        _drainSinceMs = _nowMs;
        WriteGoAway(LargestStreamId, Http2ErrorCode.NoError, "");
        Ping(DrainPing);
    }

    private void FinishDrain()
    {
        _drain = Drain.Final;
        WriteGoAway(_lastPeerStream, Http2ErrorCode.NoError, "");
    }

    /// <summary>Nobody has opened the stream yet.</summary>
    private bool IsIdle(int id) => Role == Http2Role.Server
        ? (id & 1) == 0 || id > _lastPeerStream
        : (id & 1) == 0 || id >= _nextStream;

    /// <summary>The peer could not know yet that we wanted no more of the stream.</summary>
    private bool IsForgiven(int id) =>
        (_resets is not null && _resets.Contains(id)) || (Role == Http2Role.Server && _drain == Drain.Final && id > _lastTakenStream);

    private Http2Stream AddStream(int id)
    {
        var stream = Pool.RentStream();
        _openStreams++;
        _lastTakenStream = id;
        PutOnWire(stream, id);
        return stream;
    }

    private void PutOnWire(Http2Stream stream, int id)
    {
        Pool.Count.Streams++;
        stream.Id = id;
        stream.State |= StreamState.OnWire;
        stream.SendWindow = _peerInitialWindow;
        stream.ReceiveWindow = _settingsAcknowledged ? Limits.StreamWindowBytes : DefaultWindow;
        _streams.Add(stream);
    }

    private void EndEvent(Http2Stream stream)
    {
        stream.Events--;
        FinishIfDone(stream);
    }

    /// <summary>Lets go of a stream that has ended in whatever way, as soon as nobody needs it any more.</summary>
    private void FinishIfDone(Http2Stream stream)
    {
        var isDone = stream.IsReset || (stream.HasReceivedEnd && stream.HasSentEnd);
        if (!isDone || stream.Is(StreamState.Gone))
        {
            return;
        }

        TakeOffWire(stream);
        if (stream.Unconsumed > 0 || stream.Events > 0)
        {
            return;
        }

        stream.State |= StreamState.Gone;
        Events.OnClosed(stream);
        stream.Owner = null;
        Pool.Return(stream);
    }

    private void TakeOffWire(Http2Stream stream)
    {
        StopWaiting(stream);
        if (stream.Is(StreamState.OnWire))
        {
            stream.State &= ~StreamState.OnWire;
            _streams.Remove(stream);
            _openStreams--;
        }
        else if (stream.Id == 0 && !stream.Is(StreamState.OffCount))
        {
            stream.State |= StreamState.OffCount;
            _openStreams--;
        }
    }

    /// <summary>From now on the stream neither sends nor receives; what it held of the connection's window is given back.</summary>
    private void Discard(Http2Stream stream)
    {
        stream.State |= StreamState.Reset;
        TakeOffWire(stream);
        if (ReferenceEquals(_dataStream, stream))
        {
            _dataStream = null;
        }

        ReturnToConnection(stream.Unconsumed);
        stream.Unconsumed = 0;
    }

    private void EndEarly(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by)
    {
        Discard(stream);
        stream.Events++;
        Events.OnReset(stream, code, by);
        EndEvent(stream);
    }

    private void ResetMalformed(Http2Stream stream, MessageFault fault)
    {
        CountMalformed(fault);
        ResetByRule(stream, Http2ErrorCode.ProtocolError);
    }

    private void ResetByRule(Http2Stream stream, Http2ErrorCode code)
    {
        WriteReset(stream.Id, code);
        EndEarly(stream, code, Http2ResetBy.Rule);
        CountForcedReset();
    }

    /// <summary>Refuses a request that nobody has been told of.</summary>
    private void RefuseStream(int id, Http2ErrorCode code)
    {
        WriteReset(id, code);
        CountForcedReset();
    }

    private void CountMalformed(MessageFault fault)
    {
        LastFault = fault;
        Pool.Count.MalformedMessages++;
    }

    private void CountForcedReset()
    {
        Pool.Count.ForcedResets++;
        if (++_window.ForcedResets > Limits.MaxForcedResets)
        {
            FailByFlood(nameof(Limits.MaxForcedResets), Limits.MaxForcedResets);
        }
    }
}
