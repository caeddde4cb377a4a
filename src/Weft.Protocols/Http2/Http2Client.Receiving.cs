// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using Weft.Protocols.Hpack;

namespace Weft.Protocols.Http2;

/// <content>The frames that come from the peer.</content>
public sealed partial class Http2Client
{
    /// <summary>
    /// Handles the whole frames in <paramref name="bytes"/> and returns how many bytes they were; the rest belongs to a frame that is not
    /// complete and must be given again. After a failure everything is swallowed.
    /// </summary>
    public int Receive(ReadOnlySpan<byte> bytes)
    {
        var consumed = 0;
        while (Failure is null && bytes.Length - consumed >= FrameHeader.Length)
        {
            var header = FrameHeader.Decode(bytes[consumed..]);
            if (header.PayloadLength > _limits.MaxFrameSize)
            {
                Fail(Http2ErrorCode.FrameSizeError, $"A frame of {header.PayloadLength} bytes is larger than the {_limits.MaxFrameSize} announced (RFC 9113 section 4.2).");
                break;
            }

            if (bytes.Length - consumed < FrameHeader.Length + header.PayloadLength)
            {
                break;
            }

            ReceiveFrame(header, bytes.Slice(consumed + FrameHeader.Length, header.PayloadLength));
            consumed += FrameHeader.Length + header.PayloadLength;
        }

        return Failure is null ? consumed : bytes.Length;
    }

    private void ReceiveFrame(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_blockStream != 0 && (header.Type != FrameType.Continuation || header.StreamId != _blockStream))
        {
            Fail(Http2ErrorCode.ProtocolError, $"A {header.Type} frame stands inside the header block of stream {_blockStream} (RFC 9113 section 6.10).");
            return;
        }

        CountControlFrame(header);
        if (Failure is not null)
        {
            return;
        }

        switch (header.Type)
        {
            case FrameType.Data:
                ReceiveData(header, payload);
                break;
            case FrameType.Headers:
                ReceiveHeaders(header, payload);
                break;
            case FrameType.Continuation:
                ReceiveContinuation(header, payload);
                break;
            case FrameType.ResetStream:
                ReceiveReset(header, payload);
                break;
            case FrameType.Settings:
                ReceiveSettings(header, payload);
                break;
            case FrameType.PushPromise:
                Fail(Http2ErrorCode.ProtocolError, "The server pushed although push is switched off (RFC 9113 section 8.4).");
                break;
            case FrameType.Ping:
                ReceivePing(header, payload);
                break;
            case FrameType.GoAway:
                ReceiveGoAway(header, payload);
                break;
            case FrameType.WindowUpdate:
                ReceiveWindowUpdate(header, payload);
                break;
            default:
                // PRIORITY is deprecated and unknown types are for extensions: both are ignored (sections 5.3.2 and 5.5).
                break;
        }
    }

    private void CountControlFrame(FrameHeader header)
    {
        var carries = header.Type is FrameType.Data or FrameType.Headers && header.PayloadLength > 0;
        _controlFrames = carries ? 0 : _controlFrames + 1;
        if (_controlFrames > _limits.MaxControlFrames)
        {
            Fail(Http2ErrorCode.EnhanceYourCalm, $"The peer sent more than {_limits.MaxControlFrames} frames in a row that carry nothing.");
        }
    }

    private void ReceiveData(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        // Padding counts for flow control too, so the window is given back for the whole payload.
        var whole = payload.Length;
        if (header.StreamId == 0 || !TryStripPadding(header, ref payload))
        {
            Fail(Http2ErrorCode.ProtocolError, "A DATA frame has no stream or impossible padding (RFC 9113 section 6.1).");
            return;
        }

        _received += whole;
        if (_streams.TryGetValue(header.StreamId, out var stream))
        {
            if (!stream.HasHeaders || stream.ReceivedEnd)
            {
                Fail(Http2ErrorCode.ProtocolError, $"A DATA frame came before the headers or after the end of stream {header.StreamId} (RFC 9113 section 8.1).");
                return;
            }

            stream.Received += whole;
            stream.ReceivedEnd = (header.Flags & FrameFlag.EndStream) != 0;
            _handler.OnData(header.StreamId, payload, stream.ReceivedEnd);
            if (!stream.ReceivedEnd && stream.Received >= _limits.StreamWindow / 2)
            {
                WriteWindowUpdate(header.StreamId, stream.Received);
                stream.Received = 0;
            }

            RemoveIfDone(header.StreamId, stream);
        }
        else if (header.StreamId >= _nextStream)
        {
            Fail(Http2ErrorCode.ProtocolError, $"A DATA frame is for stream {header.StreamId}, which was never opened (RFC 9113 section 5.1).");
            return;
        }

        if (_received >= _limits.ConnectionWindow / 2)
        {
            WriteWindowUpdate(0, _received);
            _received = 0;
        }
    }

    private void ReceiveHeaders(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId == 0 || header.StreamId >= _nextStream || !TryStripPadding(header, ref payload))
        {
            Fail(Http2ErrorCode.ProtocolError, $"A HEADERS frame is for stream {header.StreamId}, which was never opened, or has impossible padding.");
            return;
        }

        if ((header.Flags & FrameFlag.Priority) != 0)
        {
            if (payload.Length < 5)
            {
                Fail(Http2ErrorCode.FrameSizeError, "A HEADERS frame is too short for its priority (RFC 9113 section 6.2).");
                return;
            }

            payload = payload[5..];
        }

        _blockStream = header.StreamId;
        _blockEndsStream = (header.Flags & FrameFlag.EndStream) != 0;
        _block.ResetWrittenCount();
        AppendBlock(header, payload);
    }

    private void ReceiveContinuation(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_blockStream == 0)
        {
            Fail(Http2ErrorCode.ProtocolError, "A CONTINUATION frame continues nothing (RFC 9113 section 6.10).");
            return;
        }

        AppendBlock(header, payload);
    }

    private void AppendBlock(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_block.WrittenCount + payload.Length > _limits.MaxHeaderBlock)
        {
            Fail(Http2ErrorCode.EnhanceYourCalm, $"A header block is larger than {_limits.MaxHeaderBlock} bytes.");
            return;
        }

        _block.Write(payload);
        if ((header.Flags & FrameFlag.EndHeaders) == 0)
        {
            return;
        }

        var id = _blockStream;
        _blockStream = 0;
        _fields.Clear();
        var error = _decoder.Decode(_block.WrittenSpan, _fields);
        if (error is not (HpackError.None or HpackError.ListTooLarge))
        {
            Fail(Http2ErrorCode.CompressionError, $"The header block of stream {id} cannot be decoded: {error} (RFC 7541).");
            return;
        }

        if (!_streams.TryGetValue(id, out var stream))
        {
            return;
        }

        if (error == HpackError.ListTooLarge || stream.ReceivedEnd)
        {
            Reset(id, Http2ErrorCode.ProtocolError);
            _handler.OnReset(id, Http2ErrorCode.ProtocolError);
            return;
        }

        stream.HasHeaders = true;
        stream.ReceivedEnd = _blockEndsStream;
        _handler.OnHeaders(id, _fields, _blockEndsStream);
        RemoveIfDone(id, stream);
    }

    private void ReceiveReset(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 4 || header.StreamId == 0)
        {
            Fail(Http2ErrorCode.FrameSizeError, "An RST_STREAM frame has no stream or not four bytes (RFC 9113 section 6.4).");
            return;
        }

        if (_streams.Remove(header.StreamId))
        {
            _handler.OnReset(header.StreamId, (Http2ErrorCode)BinaryPrimitives.ReadInt32BigEndian(payload));
        }
    }

    private void ReceiveSettings(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var isAck = (header.Flags & FrameFlag.Ack) != 0;
        if (header.StreamId != 0 || (isAck ? payload.Length != 0 : payload.Length % 6 != 0))
        {
            Fail(Http2ErrorCode.FrameSizeError, "A SETTINGS frame is on a stream or has a wrong length (RFC 9113 section 6.5).");
            return;
        }

        if (isAck)
        {
            return;
        }

        for (; !payload.IsEmpty && Failure is null; payload = payload[6..])
        {
            ApplySetting(BinaryPrimitives.ReadUInt16BigEndian(payload), BinaryPrimitives.ReadUInt32BigEndian(payload[2..]));
        }

        WriteHeader(0, FrameType.Settings, FrameFlag.Ack, 0);
        FlushAll();
    }

    private void ApplySetting(ushort id, uint value)
    {
        switch (id)
        {
            case 3:
                _peerMaxStreams = (int)Math.Min(value, int.MaxValue);
                break;
            case 4 when value > LargestWindow:
                Fail(Http2ErrorCode.FlowControlError, $"SETTINGS_INITIAL_WINDOW_SIZE {value} is over 2^31-1 (RFC 9113 section 6.5.2).");
                break;
            case 4:
                foreach (var stream in _streams.Values)
                {
                    stream.SendWindow += (int)value - _peerInitialWindow;
                }

                _peerInitialWindow = (int)value;
                break;
            case 5 when value is < 16_384 or > 16_777_215:
                Fail(Http2ErrorCode.ProtocolError, $"SETTINGS_MAX_FRAME_SIZE {value} is outside its range (RFC 9113 section 6.5.2).");
                break;
            case 5:
                _peerMaxFrame = (int)value;
                break;
            default:
                break;
        }
    }

    private void ReceivePing(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 8 || header.StreamId != 0)
        {
            Fail(Http2ErrorCode.FrameSizeError, "A PING frame is on a stream or has not eight bytes (RFC 9113 section 6.7).");
            return;
        }

        if ((header.Flags & FrameFlag.Ack) == 0)
        {
            WriteHeader(8, FrameType.Ping, FrameFlag.Ack, 0);
            Output.Write(payload);
        }
    }

    private void ReceiveGoAway(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 8 || header.StreamId != 0)
        {
            Fail(Http2ErrorCode.FrameSizeError, "A GOAWAY frame is on a stream or shorter than eight bytes (RFC 9113 section 6.8).");
            return;
        }

        IsDraining = true;
        var last = BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
        foreach (var id in _streams.Keys.Where(id => id > last).ToArray())
        {
            // The server never looked at these: they are safe to try again elsewhere.
            _streams.Remove(id);
            _handler.OnReset(id, Http2ErrorCode.RefusedStream);
        }
    }

    private void ReceiveWindowUpdate(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var increment = payload.Length == 4 ? BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue : 0;
        if (increment == 0)
        {
            Fail(Http2ErrorCode.ProtocolError, "A WINDOW_UPDATE frame adds nothing or has not four bytes (RFC 9113 section 6.9).");
            return;
        }

        if (header.StreamId == 0)
        {
            _sendWindow += increment;
            if (_sendWindow > LargestWindow)
            {
                Fail(Http2ErrorCode.FlowControlError, "The connection's window is over 2^31-1 (RFC 9113 section 6.9.1).");
                return;
            }

            FlushAll();
        }
        else if (_streams.TryGetValue(header.StreamId, out var stream))
        {
            stream.SendWindow += increment;
            if (stream.SendWindow > LargestWindow)
            {
                Reset(header.StreamId, Http2ErrorCode.FlowControlError);
                _handler.OnReset(header.StreamId, Http2ErrorCode.FlowControlError);
                return;
            }

            Flush(header.StreamId, stream);
        }
    }

    private void FlushAll()
    {
        foreach (var (id, stream) in _streams.ToArray())
        {
            Flush(id, stream);
        }
    }

    private static bool TryStripPadding(FrameHeader header, ref ReadOnlySpan<byte> payload)
    {
        if ((header.Flags & FrameFlag.Padded) == 0)
        {
            return true;
        }

        if (payload.IsEmpty || payload[0] >= payload.Length)
        {
            return false;
        }

        payload = payload[1..^payload[0]];
        return true;
    }

    private void Fail(Http2ErrorCode code, string text)
    {
        if (Failure is not null)
        {
            return;
        }

        Failure = new Http2Failure(code, text);
        WriteHeader(8, FrameType.GoAway, FrameFlag.None, 0);
        var span = Output.GetSpan(8);
        BinaryPrimitives.WriteInt32BigEndian(span, 0);
        BinaryPrimitives.WriteInt32BigEndian(span[4..], (int)code);
        Output.Advance(8);
        _streams.Clear();
    }
}
