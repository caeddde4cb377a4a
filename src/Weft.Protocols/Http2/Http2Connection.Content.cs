// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <content>DATA that comes, and the windows that we open for it (RFC 9113 sections 5.2, 6.1, 6.9).</content>
public sealed partial class Http2Connection
{
    private Http2Stream? _dataStream;
    private int _dataLeft;
    private int _receiveWindow;
    private int _unreturned;

    /// <summary>
    /// Gives received bytes back to the windows, so that the peer may send as many more. Does nothing on a stream that was reset: its
    /// bytes were given back then.
    /// </summary>
    public void Consume(Http2Stream stream, int count)
    {
        if (stream.Is(StreamState.Reset | StreamState.Gone))
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)stream.Unconsumed, nameof(count));
        stream.Unconsumed -= count;
        ReturnToConnection(count);
        ReturnToStream(stream, count);
        FinishIfDone(stream);
    }

    private void BeginData()
    {
        Pool.Count.DataFramesReceived++;
        var id = _frame.StreamId;
        if (id == 0 || IsIdle(id))
        {
            FailByPeer(Http2ErrorCode.ProtocolError, $"A DATA frame is on stream {id}, which was never opened (RFC 9113 section 5.1).");
            return;
        }

        if (_left > _receiveWindow)
        {
            FailByPeer(Http2ErrorCode.FlowControlError, "A DATA frame is larger than the connection's window (RFC 9113 section 6.9.1).");
            return;
        }

        _receiveWindow -= _left;
        var isPadded = (_frame.Flags & FrameFlag.Padded) != 0;
        if (isPadded && _left == 0)
        {
            FailByPeer(Http2ErrorCode.FrameSizeError, "A padded DATA frame has no room for the padding's length (RFC 9113 section 6.1).");
            return;
        }

        if (_streams.Find(id) is { } stream)
        {
            BeginStreamData(stream, isPadded);
        }
        else if (IsForgiven(id))
        {
            Drop(_left);
        }
        else
        {
            FailByPeer(Http2ErrorCode.StreamClosed, $"A DATA frame came on stream {id}, which is closed (RFC 9113 section 5.1).");
        }
    }

    private void BeginStreamData(Http2Stream stream, bool isPadded)
    {
        if (stream.HasReceivedEnd)
        {
            Drop(_left);
            ResetByRule(stream, Http2ErrorCode.StreamClosed);
        }
        else if (!stream.Is(StreamState.ReceivedHead))
        {
            Drop(_left);
            ResetMalformed(stream, MessageFault.DataWithoutHead);
        }
        else if (_left > stream.ReceiveWindow)
        {
            Drop(_left);
            ResetByRule(stream, Http2ErrorCode.FlowControlError);
        }
        else
        {
            stream.ReceiveWindow -= _left;
            _dataStream = stream;
            if (isPadded)
            {
                _part = Part.PadLength;
            }
            else
            {
                BeginContent(_left);
            }
        }
    }

    private void ReceivePadLength(ref ReadOnlySpan<byte> bytes)
    {
        var padding = bytes[0];
        bytes = bytes[1..];
        _left--;
        if (padding > _left)
        {
            FailByPeer(Http2ErrorCode.ProtocolError, "A DATA frame is shorter than its padding (RFC 9113 section 6.1).");
            return;
        }

        ReturnToConnection(padding + 1);
        if (_dataStream is { } stream)
        {
            ReturnToStream(stream, padding + 1);
            BeginContent(_left - padding);
        }
        else
        {
            // The stream was reset between the two pieces.
            Drop(_left - padding);
        }
    }

    /// <summary>The frame carries so many bytes for the application. None is told before it is sure that the message may have them.</summary>
    private void BeginContent(int length)
    {
        var stream = _dataStream!;
        var ends = (_frame.Flags & FrameFlag.EndStream) != 0;
        if (stream.Expected >= 0 && (length > stream.Expected || (ends && length != stream.Expected)))
        {
            Drop(length);
            ResetMalformed(stream, stream.Expected == 0 ? MessageFault.DataNotAllowed : MessageFault.LengthDiffers);
            return;
        }

        if (stream.Expected >= 0)
        {
            stream.Expected -= length;
        }

        _dataLeft = length;
        if (length > 0)
        {
            _window.CountUseful();
            _part = Part.Data;
            return;
        }

        _part = Part.Skipped;
        EndFrameIfRead();
        if (ends)
        {
            TellData(stream, default, ends: true);
        }
        else
        {
            CountEmptyFrame();
        }
    }

    private void ReceiveDataPiece(ref ReadOnlySpan<byte> bytes)
    {
        var count = Math.Min(_dataLeft, bytes.Length);
        var piece = bytes[..count];
        bytes = bytes[count..];
        _left -= count;
        _dataLeft -= count;
        if (_dataLeft == 0)
        {
            _part = Part.Skipped;
            EndFrameIfRead();
        }

        if (_dataStream is { } stream)
        {
            TellData(stream, piece, _dataLeft == 0 && (_frame.Flags & FrameFlag.EndStream) != 0);
        }
        else
        {
            ReturnToConnection(count);
        }
    }

    private void TellData(Http2Stream stream, ReadOnlySpan<byte> piece, bool ends)
    {
        stream.Unconsumed += piece.Length;
        if (ends)
        {
            stream.State |= StreamState.ReceivedEnd;
        }

        if (_dataLeft == 0)
        {
            _dataStream = null;
        }

        stream.Events++;
        Events.OnData(stream, piece, ends);
        EndEvent(stream);
    }

    /// <summary>The rest of the frame is for nobody; the connection's window gets back what it has not yet.</summary>
    private void Drop(int charged)
    {
        _dataStream = null;
        ReturnToConnection(charged);
        _part = Part.Skipped;
        EndFrameIfRead();
    }

    private bool CountEmptyFrame()
    {
        Pool.Count.EmptyFrames++;
        if (++_window.Empties > Limits.MaxEmptyFrames)
        {
            FailByFlood(nameof(Limits.MaxEmptyFrames), Limits.MaxEmptyFrames);
        }

        return Failure is null;
    }

    private void ReturnToConnection(int count)
    {
        _unreturned += count;
        if (_unreturned >= Limits.ConnectionWindowBytes / 2 && Failure is null)
        {
            WriteWindowUpdate(0, _unreturned);
            _receiveWindow += _unreturned;
            _unreturned = 0;
        }
    }

    private void ReturnToStream(Http2Stream stream, int count)
    {
        if (stream.HasReceivedEnd || Failure is not null)
        {
            return;
        }

        // Half a window at a time: one update for many frames, and the peer never has to wait for one.
        stream.Unreturned += count;
        if (stream.Unreturned > 0 && stream.Unreturned >= Limits.StreamWindowBytes / 2)
        {
            WriteWindowUpdate(stream.Id, stream.Unreturned);
            stream.ReceiveWindow += stream.Unreturned;
            stream.Unreturned = 0;
        }
    }
}
