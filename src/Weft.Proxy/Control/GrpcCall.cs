// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text;
using Google.Protobuf;
using Weft.Protocols.Grpc;
using Weft.Protocols.Http1;
using Weft.Protocols.Http2;

namespace Weft.Proxy.Control;

/// <summary>One gRPC call to the control plane: messages go out as far as the windows let them, whole messages come in.</summary>
/// <remarks>Not for the request path: it makes an object for each message.</remarks>
internal sealed class GrpcCall
{
    /// <summary>Bytes of messages that wait for the control plane to read; a call with more cannot send.</summary>
    internal const int MaxUnsentBytes = 16 * 1024 * 1024;

    private readonly Http2Connection _http;
    private readonly GrpcMessageReader _messages;
    private readonly ArrayBufferWriter<byte> _unsent = new();
    private Http2Stream? _stream;
    private int _unsentStart;
    private bool _endsAfterUnsent;

    private GrpcCall(Http2Connection http, int maxMessageBytes)
    {
        _http = http;
        _messages = new GrpcMessageReader(maxMessageBytes);
    }

    /// <summary>Called for each message, which is valid during the call.</summary>
    public Action<ReadOnlyMemory<byte>> Received { get; init; } = _ => { };

    /// <summary>Called once at the end: null if it was a good one, else why not.</summary>
    public Action<string?> Ended { get; init; } = _ => { };

    /// <summary>Begins a call; null if the connection takes no new ones.</summary>
    public static GrpcCall? Open(
        Http2Connection http, string path, string token, int maxMessageBytes, Action<ReadOnlyMemory<byte>> received, Action<string?> ended)
    {
        var call = new GrpcCall(http, maxMessageBytes) { Received = received, Ended = ended };
        call._stream = http.Open(call);
        if (call._stream is null || !http.BeginHeaders(call._stream))
        {
            return null;
        }

        http.Header(":method"u8, "POST"u8);
        http.Header(":scheme"u8, "http"u8);
        http.Header(":path"u8, Encoding.ASCII.GetBytes(path));
        http.Header(":authority"u8, "weft-control"u8);
        http.Header("content-type"u8, "application/grpc"u8);
        http.Header("te"u8, "trailers"u8);
        if (token.Length > 0)
        {
            http.Header("authorization"u8, Encoding.ASCII.GetBytes($"Bearer {token}"), sensitive: true);
        }

        http.EndHeaders(endStream: false);
        return call;
    }

    /// <summary>Sends a message, perhaps later; false if the call is over or too much is waiting.</summary>
    public bool Send(IMessage message, bool isLast)
    {
        var bytes = message.ToByteArray();
        if (_stream is null || _endsAfterUnsent || _unsent.WrittenCount - _unsentStart + bytes.Length > MaxUnsentBytes)
        {
            return false;
        }

        GrpcFrame.Write(_unsent, bytes);
        _endsAfterUnsent = isLast;
        SendMore();
        return true;
    }

    /// <summary>Gives the call up without calling <see cref="Ended"/>.</summary>
    public void Cancel()
    {
        if (_stream is { } stream)
        {
            _stream = null;
            _http.Reset(stream, Http2ErrorCode.Cancel);
        }
    }

    public void SendMore()
    {
        if (_stream is not { } stream)
        {
            return;
        }

        _unsentStart += _http.SendData(stream, _unsent.WrittenSpan[_unsentStart..], _endsAfterUnsent);
        if (_unsentStart == _unsent.WrittenCount)
        {
            _unsent.ResetWrittenCount();
            _unsentStart = 0;
        }
    }

    public void TakeHead(in Http2Fields fields, bool isEnd)
    {
        if (fields.TryGet(KnownHeader.GrpcStatus, out var status) && !status.SequenceEqual("0"u8))
        {
            var text = fields.TryGet("grpc-message"u8, out var message) ? Uri.UnescapeDataString(Encoding.ASCII.GetString(message)) : "no message";
            End($"status {Encoding.ASCII.GetString(status)}: {text}");
        }
        else if (fields.Status is not (0 or 200) && fields.Status >= 200)
        {
            End($"status {fields.Status}: no message");
        }
        else if (isEnd)
        {
            End(null);
        }
    }

    public void TakeData(Http2Stream stream, ReadOnlySpan<byte> data, bool isEnd)
    {
        _messages.Append(data);
        _http.Consume(stream, data.Length);
        GrpcReadResult result;
        while ((result = _messages.TryRead(out var message)) == GrpcReadResult.Message)
        {
            Received(message);
        }

        if (result is not GrpcReadResult.NeedMore)
        {
            End($"a message of it cannot be read ({result})");
        }
        else if (isEnd)
        {
            End(null);
        }
    }

    public void TakeReset(Http2ErrorCode code) => End($"it was reset ({code})");

    private void End(string? reason)
    {
        if (_stream is { } stream)
        {
            _stream = null;
            if (reason is not null)
            {
                _http.Reset(stream, Http2ErrorCode.Cancel);
            }

            Ended(reason);
        }
    }
}
