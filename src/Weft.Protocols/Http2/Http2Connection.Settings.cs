// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using Weft.Protocols.Hpack;

namespace Weft.Protocols.Http2;

/// <content>SETTINGS both ways (RFC 9113 section 6.5), and those that come with an upgrade.</content>
public sealed partial class Http2Connection
{
    private const ushort HeaderTableSize = 1;
    private const ushort EnablePush = 2;
    private const ushort MaxConcurrentStreams = 3;
    private const ushort InitialWindowSize = 4;
    private const ushort MaxFrameSize = 5;
    private const ushort MaxHeaderListSize = 6;
    private const ushort EnableConnectProtocol = 8;

    private int _peerMaxStreams = int.MaxValue;
    private int _peerInitialWindow = DefaultWindow;
    private int _peerMaxFrame = DefaultFrameBytes;
    private bool _settingsAcknowledged;

    /// <summary>
    /// Server: stream 1 of a connection that an HTTP/1.1 request upgraded (RFC 7540 section 3.2); the peer has ended its side, the
    /// answer goes out on it. Null if the HTTP2-Settings are not readable: then refuse the upgrade. The preface is expected after it.
    /// </summary>
    /// <param name="settings">The value of HTTP2-Settings, base64url.</param>
    public Http2Stream? AcceptUpgrade(ReadOnlySpan<byte> settings, object? owner)
    {
        Span<byte> payload = stackalloc byte[CarryBytes];
        if (Role != Http2Role.Server || _lastPeerStream != 0 || settings.Length > CarryBytes || settings.ContainsAny(" \t"u8)
            || Base64Url.DecodeFromUtf8(settings, payload, out _, out var count) != OperationStatus.Done
            || count % 6 != 0 || count > Limits.MaxSettingsEntries * 6)
        {
            return null;
        }

        ApplyAll(payload[..count]);
        if (Failure is not null)
        {
            return null;
        }

        _lastPeerStream = 1;
        var stream = AddStream(1);
        stream.State |= StreamState.ReceivedHead | StreamState.ReceivedEnd;
        stream.Owner = owner;
        return stream;
    }

    private void WriteSettings()
    {
        ReadOnlySpan<(ushort Id, int Value, bool Said)> settings =
        [
            (HeaderTableSize, Limits.HeaderTableBytes, Limits.HeaderTableBytes != HpackDecoder.DefaultTableSize),
            (EnablePush, 0, Role == Http2Role.Client),
            (MaxConcurrentStreams, Limits.MaxConcurrentStreams, Role == Http2Role.Server),
            (InitialWindowSize, Limits.StreamWindowBytes, Limits.StreamWindowBytes != DefaultWindow),
            (MaxFrameSize, Limits.MaxFrameBytes, Limits.MaxFrameBytes != DefaultFrameBytes),
            (MaxHeaderListSize, Limits.MaxHeaderListBytes, true),
            (EnableConnectProtocol, 1, Role == Http2Role.Server && Limits.AllowExtendedConnect),
        ];
        var start = _output.Length;
        WriteFrameHeader(0, FrameType.Settings, FrameFlag.None, 0);
        foreach (var (id, value, said) in settings)
        {
            if (said)
            {
                var span = _output.Reserve(6);
                BinaryPrimitives.WriteUInt16BigEndian(span, id);
                BinaryPrimitives.WriteInt32BigEndian(span[2..], value);
                _output.Advance(6);
            }
        }

        new FrameHeader(_output.Length - start - FrameHeader.Length, FrameType.Settings, FrameFlag.None, 0).Encode(_output.Written[start..]);
    }

    private void ReceiveSettings(ReadOnlySpan<byte> payload)
    {
        Pool.Count.SettingsFrames++;
        if (++_window.Settings > Limits.MaxSettingsFrames)
        {
            FailByFlood(nameof(Limits.MaxSettingsFrames), Limits.MaxSettingsFrames);
            return;
        }

        if ((_frame.Flags & FrameFlag.Ack) != 0)
        {
            AcceptAcknowledgement();
            return;
        }

        HasPeerSettings = true;
        ApplyAll(payload);
        if (Failure is null)
        {
            WriteFrameHeader(0, FrameType.Settings, FrameFlag.Ack, 0);
            _queuedControlFrames++;
            Events.OnSettings();
            WakeWaiting();
        }
    }

    /// <summary>From here on the peer follows what we announced; until now it could only know the defaults.</summary>
    private void AcceptAcknowledgement()
    {
        if (_settingsAcknowledged)
        {
            return;
        }

        _settingsAcknowledged = true;
        _decoder.SetMaxTableSize(Limits.HeaderTableBytes);
        for (var slot = 0; slot < _streams.Length; slot++)
        {
            if (_streams.At(slot) is { } stream)
            {
                stream.ReceiveWindow += Limits.StreamWindowBytes - DefaultWindow;
            }
        }
    }

    private void ApplyAll(ReadOnlySpan<byte> payload)
    {
        for (; !payload.IsEmpty && Failure is null; payload = payload[6..])
        {
            Apply(BinaryPrimitives.ReadUInt16BigEndian(payload), BinaryPrimitives.ReadUInt32BigEndian(payload[2..]));
        }
    }

    private void Apply(ushort id, uint value)
    {
        switch (id)
        {
            case HeaderTableSize:
                _encoder.SetPeerTableSize(value);
                break;
            case EnablePush when value > (Role == Http2Role.Server ? 1u : 0u):
                FailByPeer(Http2ErrorCode.ProtocolError, $"SETTINGS_ENABLE_PUSH is {value} (RFC 9113 section 6.5.2).");
                break;
            case MaxConcurrentStreams:
                _peerMaxStreams = (int)Math.Min(value, int.MaxValue);
                break;
            case InitialWindowSize when value > Http2Limits.LargestWindow:
                FailByPeer(Http2ErrorCode.FlowControlError, $"SETTINGS_INITIAL_WINDOW_SIZE {value} is over 2^31-1 (RFC 9113 section 6.5.2).");
                break;
            case InitialWindowSize:
                MoveSendWindows((int)value);
                break;
            case MaxFrameSize when value is < DefaultFrameBytes or > 16_777_215:
                FailByPeer(Http2ErrorCode.ProtocolError, $"SETTINGS_MAX_FRAME_SIZE {value} is outside its range (RFC 9113 section 6.5.2).");
                break;
            case MaxFrameSize:
                _peerMaxFrame = (int)value;
                break;
            case EnableConnectProtocol when value > 1 || (value == 0 && PeerAllowsExtendedConnect):
                FailByPeer(Http2ErrorCode.ProtocolError, $"SETTINGS_ENABLE_CONNECT_PROTOCOL is {value} (RFC 8441 section 3).");
                break;
            case EnableConnectProtocol:
                PeerAllowsExtendedConnect = value == 1;
                break;
            default:
                // ENABLE_PUSH says nothing to somebody who never pushes; the list size is advice; others are for extensions.
                break;
        }
    }

    private void MoveSendWindows(int initial)
    {
        var change = (long)initial - _peerInitialWindow;
        _peerInitialWindow = initial;
        for (var slot = 0; slot < _streams.Length; slot++)
        {
            if (_streams.At(slot) is not { } stream)
            {
                continue;
            }

            if (stream.SendWindow + change > Http2Limits.LargestWindow)
            {
                FailByPeer(Http2ErrorCode.FlowControlError, $"SETTINGS_INITIAL_WINDOW_SIZE {initial} puts the window of stream {stream.Id} over 2^31-1 (RFC 9113 section 6.9.2).");
                return;
            }

            stream.SendWindow = (int)(stream.SendWindow + change);
        }
    }
}
