// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace Weft.Protocols.Http2;

/// <content>The small frames: PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE.</content>
public sealed partial class Http2Connection
{
    // What our drain's PING carries; a caller's own PING may carry it too, and then only ends the drain earlier.
    private const ulong DrainPing = 0x7765_6674_6472_6E21;

    /// <summary>What the frame header alone says is wrong.</summary>
    private bool CheckSmall()
    {
        var onConnection = _frame.Type is FrameType.Settings or FrameType.Ping or FrameType.GoAway;
        if (_frame.Type != FrameType.WindowUpdate && onConnection != (_frame.StreamId == 0))
        {
            FailByPeer(Http2ErrorCode.ProtocolError, onConnection
                ? $"A {_frame.Type} frame is on stream {_frame.StreamId} (RFC 9113 section 6)."
                : $"A {_frame.Type} frame is on no stream (RFC 9113 section 6).");
            return false;
        }

        var right = _frame.Type switch
        {
            FrameType.Settings => (_frame.Flags & FrameFlag.Ack) != 0 ? _left == 0 : _left % 6 == 0,
            FrameType.Ping => _left == 8,
            FrameType.GoAway => _left >= 8,
            FrameType.Priority => _left == 5 || ResetForPrioritySize(),
            _ => _left == 4,
        };
        if (!right)
        {
            FailByPeer(Http2ErrorCode.FrameSizeError, $"A {_frame.Type} frame has {_left} bytes (RFC 9113 section 6).");
        }
        else if (_frame.Type == FrameType.Settings && _left > Limits.MaxSettingsEntries * 6)
        {
            FailByFlood(nameof(Limits.MaxSettingsEntries), Limits.MaxSettingsEntries);
        }
        else if (_frame.Type == FrameType.Priority && _left != 5)
        {
            _part = Part.Skipped;
            EndFrameIfRead();
            return false;
        }

        return Failure is null;
    }

    /// <summary>A PRIORITY of a wrong length only costs its stream (RFC 9113 section 6.3), if there is one.</summary>
    private bool ResetForPrioritySize()
    {
        if (_streams.Find(_frame.StreamId) is not { } stream)
        {
            return false;
        }

        ResetByRule(stream, Http2ErrorCode.FrameSizeError);
        return true;
    }

    private void ReceiveControl(ReadOnlySpan<byte> payload)
    {
        switch (_frame.Type)
        {
            case FrameType.Priority:
                ReceivePriority(payload);
                break;
            case FrameType.ResetStream:
                ReceiveReset(payload);
                break;
            case FrameType.Settings:
                ReceiveSettings(payload);
                break;
            case FrameType.Ping:
                ReceivePing(payload);
                break;
            case FrameType.GoAway:
                ReceiveGoAway(payload);
                break;
            default:
                ReceiveWindowUpdate(payload);
                break;
        }
    }

    private void ReceivePriority(ReadOnlySpan<byte> payload)
    {
        Pool.Count.PriorityFrames++;
        if (++_window.Priorities > Limits.MaxPriorityFrames + _window.Useful)
        {
            FailByFlood(nameof(Limits.MaxPriorityFrames), Limits.MaxPriorityFrames);
        }
        else if (DependsOnItself(payload, _frame.StreamId))
        {
            if (_streams.Find(_frame.StreamId) is { } stream)
            {
                ResetByRule(stream, Http2ErrorCode.ProtocolError);
            }
            else
            {
                FailByPeer(Http2ErrorCode.ProtocolError, $"Stream {_frame.StreamId} depends on itself (RFC 7540 section 5.3.1).");
            }
        }
    }

    private static bool DependsOnItself(ReadOnlySpan<byte> priority, int id) =>
        (BinaryPrimitives.ReadInt32BigEndian(priority) & int.MaxValue) == id;

    private void ReceiveReset(ReadOnlySpan<byte> payload)
    {
        if (IsIdle(_frame.StreamId))
        {
            FailByPeer(Http2ErrorCode.ProtocolError, $"Stream {_frame.StreamId} is reset, but was never opened (RFC 9113 section 6.4).");
            return;
        }

        Pool.Count.PeerResets++;
        if (_streams.Find(_frame.StreamId) is { } stream)
        {
            EndEarly(stream, (Http2ErrorCode)BinaryPrimitives.ReadInt32BigEndian(payload), Http2ResetBy.Peer);
        }

        // A server may have reasons to refuse much of what we ask; a client has none to ask so much in vain.
        if (Role == Http2Role.Server && ++_window.PeerResets > Limits.MaxPeerResets)
        {
            FailByFlood(nameof(Limits.MaxPeerResets), Limits.MaxPeerResets);
        }
    }

    private void ReceivePing(ReadOnlySpan<byte> payload)
    {
        Pool.Count.Pings++;
        var value = BinaryPrimitives.ReadUInt64BigEndian(payload);
        if ((_frame.Flags & FrameFlag.Ack) != 0)
        {
            if (value == DrainPing && _drain == Drain.Announced)
            {
                FinishDrain();
            }
            else
            {
                Events.OnPong(value);
            }
        }
        else
        {
            WriteFrameHeader(8, FrameType.Ping, FrameFlag.Ack, 0);
            _output.Append(payload);
            _queuedControlFrames++;
        }

        if (++_window.Pings > Limits.MaxPings + _window.Useful)
        {
            FailByFlood(nameof(Limits.MaxPings), Limits.MaxPings);
        }
    }

    private void ReceiveGoAway(ReadOnlySpan<byte> payload)
    {
        Pool.Count.GoAwaysReceived++;
        var last = BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
        _peerIsLeaving = true;
        if (Role == Http2Role.Client)
        {
            EndUnprocessed(last);
        }

        Events.OnGoAway((Http2ErrorCode)BinaryPrimitives.ReadInt32BigEndian(payload[4..]), payload[8..]);
    }

    private void EndUnprocessed(int last)
    {
        // Removing moves other streams about, so the table is gone through until nothing is left to find.
        for (var found = true; found;)
        {
            found = false;
            for (var slot = 0; slot < _streams.Length; slot++)
            {
                if (_streams.At(slot) is { } stream && stream.Id > last)
                {
                    EndEarly(stream, Http2ErrorCode.RefusedStream, Http2ResetBy.NotProcessed);
                    found = true;
                }
            }
        }
    }

    private void ReceiveWindowUpdate(ReadOnlySpan<byte> payload)
    {
        Pool.Count.WindowUpdates++;
        var increment = BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
        if (_frame.StreamId == 0)
        {
            OpenConnectionWindow(increment);
        }
        else if (IsIdle(_frame.StreamId))
        {
            FailByPeer(Http2ErrorCode.ProtocolError, $"A window update is for stream {_frame.StreamId}, which was never opened (RFC 9113 section 5.1).");
        }
        else if (_streams.Find(_frame.StreamId) is { } stream)
        {
            OpenStreamWindow(stream, increment);
        }

        if (++_window.WindowUpdates > Limits.MaxWindowUpdates + (10L * _window.DataSent) + (2L * _window.Useful))
        {
            FailByFlood(nameof(Limits.MaxWindowUpdates), Limits.MaxWindowUpdates);
        }
    }

    private void OpenConnectionWindow(int increment)
    {
        if (increment == 0)
        {
            FailByPeer(Http2ErrorCode.ProtocolError, "A window update of the connection adds nothing (RFC 9113 section 6.9).");
        }
        else if (increment > Http2Limits.LargestWindow - _sendWindow)
        {
            FailByPeer(Http2ErrorCode.FlowControlError, "The connection's window is over 2^31-1 (RFC 9113 section 6.9.1).");
        }
        else
        {
            _sendWindow += increment;
            WakeWaiting();
        }
    }

    private void OpenStreamWindow(Http2Stream stream, int increment)
    {
        if (increment == 0)
        {
            ResetByRule(stream, Http2ErrorCode.ProtocolError);
        }
        else if (increment > (long)Http2Limits.LargestWindow - stream.SendWindow)
        {
            ResetByRule(stream, Http2ErrorCode.FlowControlError);
        }
        else
        {
            stream.SendWindow += increment;
            if (stream.Is(StreamState.Waiting) && CanSendSome(stream))
            {
                Wake(stream);
            }
        }
    }
}
