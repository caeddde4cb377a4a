// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text;
using Weft.Protocols.Grpc;
using Weft.Protocols.Http1;
using Weft.Protocols.Http2;
using Weft.Proxy.Io;

namespace Weft.Proxy.Health;

/// <summary>grpc.health.v1.Health/Check, which must be answered with SERVING and status 0.</summary>
internal sealed class GrpcQuestion(string service, string host) : HealthQuestion, IHttp2Events
{
    /// <summary>The answer is one number; a longer message fails the check.</summary>
    internal const int MaxMessageBytes = 1024;

    private static readonly Http2Limits _limits = new();

    private readonly GrpcMessageReader _messages = new(MaxMessageBytes);
    private Http2Connection? _http;
    private ByteChannel? _channel;
    private bool _isServing;
    private bool? _verdict;

    internal override void Ask(ByteChannel channel)
    {
        _channel = channel;
        _http = new Http2Connection(Http2Role.Client, _limits, this);
        if (_http.Open(this) is not { } stream || !_http.BeginHeaders(stream))
        {
            _verdict = false;
            return;
        }

        _http.Header(":method"u8, "POST"u8);
        _http.Header(":scheme"u8, "http"u8);
        _http.Header(":path"u8, "/grpc.health.v1.Health/Check"u8);
        _http.Header(":authority"u8, Encoding.ASCII.GetBytes(host));
        _http.Header("content-type"u8, "application/grpc"u8);
        _http.Header("te"u8, "trailers"u8);
        _http.Header("user-agent"u8, "Weft/HC"u8);
        _http.EndHeaders(endStream: false);
        _http.SendData(stream, Message(service), endStream: true);
        Send();
    }

    internal override bool? Read(ReadOnlySpan<byte> data, long nowMs)
    {
        if (!_http!.Receive(data, nowMs))
        {
            _verdict ??= false;
        }

        Send();
        return _verdict;
    }

    public void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        // A client gets none.
    }

    public void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        if (fields.Status >= 200)
        {
            Judge(fields, endStream);
        }
    }

    public void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
    {
        _messages.Append(data);
        switch (_messages.TryRead(out var message))
        {
            case GrpcReadResult.Message:
                _isServing = IsServing(message.Span);
                break;
            case GrpcReadResult.TooLarge or GrpcReadResult.Compressed:
                _verdict = false;
                break;
        }

        _http!.Consume(stream, data.Length);

        // Without trailers there is no status, and so no good end.
        _verdict ??= endStream ? false : null;
    }

    public void OnTrailers(Http2Stream stream, in Http2Fields fields) => Judge(fields, isEnd: true);

    public void OnWritable(Http2Stream stream)
    {
        // The question is shorter than any window.
    }

    public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by) => _verdict ??= false;

    public void OnClosed(Http2Stream stream)
    {
    }

    public void OnSettings()
    {
    }

    public void OnGoAway(Http2ErrorCode code, ReadOnlySpan<byte> text)
    {
    }

    public void OnPong(ulong payload)
    {
    }

    /// <summary>HealthCheckRequest, field 1: the service's name.</summary>
    internal static byte[] Message(string service)
    {
        var name = Encoding.UTF8.GetBytes(service);
        var message = new List<byte>(name.Length + 6);
        if (name.Length > 0)
        {
            message.Add(0x0A);
            var length = name.Length;
            for (; length >= 0x80; length >>= 7)
            {
                message.Add((byte)((length & 0x7F) | 0x80));
            }

            message.Add((byte)length);
            message.AddRange(name);
        }

        var framed = new ArrayBufferWriter<byte>();
        GrpcFrame.Write(framed, message.ToArray());
        return framed.WrittenSpan.ToArray();
    }

    /// <summary>HealthCheckResponse, field 1: SERVING is 1. A server that adds fields is no server that we know to be well.</summary>
    internal static bool IsServing(ReadOnlySpan<byte> message) => message.SequenceEqual(new byte[] { 0x08, 0x01 });

    private void Judge(in Http2Fields fields, bool isEnd)
    {
        if (fields.Status is not (0 or 200))
        {
            _verdict = false;
        }
        else if (isEnd)
        {
            _verdict ??= _isServing && fields.TryGet(KnownHeader.GrpcStatus, out var status) && status.SequenceEqual("0"u8);
        }
    }

    private void Send()
    {
        if (_http is { Output.IsEmpty: false } http)
        {
            var output = http.Output;
            _channel!.Write(output);
            http.Sent(output.Length);
        }
    }
}
