// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <content>Cuts what comes into frames. DATA and header blocks are used as they arrive; only small frames wait until they are whole.</content>
public sealed partial class Http2Connection
{
    // The longest part of a small frame that is looked at: SETTINGS with as many entries as a limit may allow.
    private const int CarryBytes = 512;
    private const int GoAwayBytes = 8 + 256;

    private Part _part;
    private FrameHeader _frame;
    private int _left;
    private int _collect;
    private byte[] _carry = [];
    private int _carried;

    /// <summary>Where in the peer's bytes we are.</summary>
    private enum Part : byte
    {
        Preface,
        FrameHeader,
        Small,
        Block,
        PadLength,
        Data,
        Skipped,
    }

    /// <summary>
    /// Takes any bytes from the peer, cut anywhere; all of them are used. False once the connection is over by <see cref="Failure"/>.
    /// </summary>
    /// <param name="nowMs">A clock that never goes back, for the limits per window.</param>
    public bool Receive(ReadOnlySpan<byte> bytes, long nowMs)
    {
        _nowMs = Math.Max(_nowMs, nowMs);
        _window.Roll(_nowMs, Limits.FloodWindowMs);
        while (Failure is null && !bytes.IsEmpty)
        {
            switch (_part)
            {
                case Part.Preface:
                    ReceivePreface(ref bytes);
                    break;
                case Part.FrameHeader:
                    ReceiveFrameHeader(ref bytes);
                    break;
                case Part.Small:
                    ReceiveSmall(ref bytes);
                    break;
                case Part.Block:
                    ReceiveBlock(ref bytes);
                    break;
                case Part.PadLength:
                    ReceivePadLength(ref bytes);
                    break;
                case Part.Data:
                    ReceiveDataPiece(ref bytes);
                    break;
                default:
                    Skip(ref bytes);
                    break;
            }
        }

        if (_queuedControlFrames > Limits.MaxQueuedControlFrames)
        {
            FailByFlood(nameof(Limits.MaxQueuedControlFrames), Limits.MaxQueuedControlFrames);
        }

        return Failure is null;
    }

    private void ReceivePreface(ref ReadOnlySpan<byte> bytes)
    {
        var rest = Preface[_carried..];
        var count = Math.Min(rest.Length, bytes.Length);
        if (!bytes[..count].SequenceEqual(rest[..count]))
        {
            FailByPeer(Http2ErrorCode.ProtocolError, "The connection does not begin with the client preface (RFC 9113 section 3.4).");
            return;
        }

        bytes = bytes[count..];
        _carried += count;
        if (_carried == Preface.Length)
        {
            _carried = 0;
            _part = Part.FrameHeader;
        }
    }

    private void ReceiveFrameHeader(ref ReadOnlySpan<byte> bytes)
    {
        if (_carried == 0 && bytes.Length >= FrameHeader.Length)
        {
            _frame = FrameHeader.Decode(bytes);
            bytes = bytes[FrameHeader.Length..];
        }
        else
        {
            Carry(ref bytes, FrameHeader.Length);
            if (_carried < FrameHeader.Length)
            {
                return;
            }

            _frame = FrameHeader.Decode(_carry);
            ReturnCarry();
        }

        _left = _frame.PayloadLength;
        BeginFrame();
    }

    private void BeginFrame()
    {
        if (!HasPeerSettings && (_frame.Type != FrameType.Settings || (_frame.Flags & FrameFlag.Ack) != 0))
        {
            FailByPeer(Http2ErrorCode.ProtocolError, "The first frame is not SETTINGS (RFC 9113 section 3.4).");
            return;
        }

        if (_left > Limits.MaxFrameBytes)
        {
            FailByPeer(Http2ErrorCode.FrameSizeError, $"A frame of {_left} bytes is larger than the {Limits.MaxFrameBytes} announced (RFC 9113 section 4.2).");
            return;
        }

        if (_blockStream != 0 && (_frame.Type != FrameType.Continuation || _frame.StreamId != _blockStream))
        {
            FailByPeer(Http2ErrorCode.ProtocolError, $"A {_frame.Type} frame stands inside the header block of stream {_blockStream} (RFC 9113 section 6.10).");
            return;
        }

        switch (_frame.Type)
        {
            case FrameType.Data:
                BeginData();
                break;
            case FrameType.Headers:
                BeginHeaderBlock();
                break;
            case FrameType.Continuation:
                BeginContinuation();
                break;
            case FrameType.PushPromise:
                FailByPeer(Http2ErrorCode.ProtocolError, "The peer pushed although nobody may push here (RFC 9113 section 8.4).");
                break;
            case FrameType.Priority or FrameType.ResetStream or FrameType.Settings or FrameType.Ping or FrameType.GoAway or FrameType.WindowUpdate:
                BeginSmall();
                break;
            default:
                Pool.Count.UnknownFrames++;
                _part = Part.Skipped;
                if (++_window.Unknowns > Limits.MaxUnknownFrames + _window.Useful)
                {
                    FailByFlood(nameof(Limits.MaxUnknownFrames), Limits.MaxUnknownFrames);
                }

                EndFrameIfRead();
                break;
        }
    }

    private void BeginSmall()
    {
        if (!CheckSmall())
        {
            return;
        }

        _collect = _frame.Type == FrameType.GoAway ? Math.Min(_left, GoAwayBytes) : _left;
        _part = Part.Small;
        if (_collect == 0)
        {
            EndFrame();
            ReceiveControl(default);
        }
    }

    private void ReceiveSmall(ref ReadOnlySpan<byte> bytes)
    {
        if (_carried == 0 && bytes.Length >= _collect)
        {
            var payload = bytes[.._collect];
            bytes = bytes[_collect..];
            EndSmall();
            ReceiveControl(payload);
            return;
        }

        Carry(ref bytes, _collect);
        if (_carried == _collect)
        {
            // The buffer stays ours until the frame was used.
            var buffer = _carry;
            var count = _collect;
            _carry = [];
            _carried = 0;
            EndSmall();
            ReceiveControl(buffer.AsSpan(0, count));
            Pool.Buffers.Return(buffer);
        }
    }

    /// <summary>The next bytes are the rest of a frame that nobody wants, or the next frame.</summary>
    private void EndSmall()
    {
        _left -= _collect;
        _part = Part.Skipped;
        EndFrameIfRead();
    }

    private void Skip(ref ReadOnlySpan<byte> bytes)
    {
        var count = Math.Min(_left, bytes.Length);
        bytes = bytes[count..];
        _left -= count;
        EndFrameIfRead();
    }

    private void EndFrameIfRead()
    {
        if (_left == 0)
        {
            EndFrame();
        }
    }

    private void EndFrame()
    {
        _left = 0;
        _part = Part.FrameHeader;
    }

    private void Carry(ref ReadOnlySpan<byte> bytes, int wanted)
    {
        if (_carry.Length == 0)
        {
            _carry = Pool.Buffers.Rent(CarryBytes);
        }

        var count = Math.Min(wanted - _carried, bytes.Length);
        bytes[..count].CopyTo(_carry.AsSpan(_carried));
        bytes = bytes[count..];
        _carried += count;
    }

    private void ReturnCarry()
    {
        if (_carry.Length > 0)
        {
            Pool.Buffers.Return(_carry);
            _carry = [];
        }

        _carried = 0;
    }

    /// <summary>The connection failed: nothing that comes is looked at.</summary>
    private void ForgetInput()
    {
        ReturnCarry();
        _block?.Clear();
        _dataStream = null;
    }
}
