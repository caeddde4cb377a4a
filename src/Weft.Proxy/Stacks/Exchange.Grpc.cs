// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Grpc;
using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>What is different where the request is gRPC: deadlines, counted messages, and answers in gRPC's own form.</summary>
internal sealed partial class Exchange
{
    private GrpcMessageCounter _requestMessages;
    private GrpcMessageCounter _responseMessages;
    private long _grpcTimeoutMs;

    /// <summary>The request's content type says gRPC.</summary>
    internal bool IsGrpc { get; private set; }

    /// <summary>gRPC messages that the client sent, and that it was sent.</summary>
    internal long RequestMessages => _requestMessages.Count;

    internal long ResponseMessages => _responseMessages.Count;

    private void OpenGrpc()
    {
        IsGrpc = false;
        _grpcTimeoutMs = 0;
        _requestMessages = _responseMessages = default;
        OpenGrpcWeb();
    }

    private void BeginGrpc()
    {
        IsGrpc = Observe.IsGrpc(this) || BeginGrpcWeb();
        if (!IsGrpc)
        {
            return;
        }

        var index = Request.IndexOf("grpc-timeout"u8, RequestBytes);
        if (index >= 0 && GrpcTimeout.TryParse(Request.Fields[index].Value.Of(RequestBytes), out var timeout))
        {
            _grpcTimeoutMs = Math.Max(1, timeout);
        }
    }

    /// <summary>The status in a head of its own that ends the response ("Trailers-Only").</summary>
    private void AnswerGrpc(int grpcStatus, ReadOnlySpan<byte> extraLines, ReadOnlySpan<byte> message, bool last)
    {
        Status = 200;
        GrpcStatus = grpcStatus;
        DropTries();
        ref var output = ref Loop.Out;
        output.Clear();
        HeadWriter.AppendStatusLine(ref output, Status);
        output.Append("content-type: "u8);
        AppendAnswerType(ref output);
        output.Append("\r\ngrpc-status: "u8);
        HeadWriter.AppendNumber(ref output, grpcStatus);
        output.Append("\r\n"u8);
        if (!message.IsEmpty)
        {
            output.Append("grpc-message: "u8);
            AppendEncoded(ref output, message);
            output.Append("\r\n"u8);
        }

        output.Append(extraLines);
        AppendAddedLines(ref output);
        HeadWriter.AppendLine(ref output, "date"u8, Loop.Date.Text);
        HeadWriter.AppendServer(ref output, this);
        if (!Downstream.IsHttp2)
        {
            // HTTP/1.1 must be told that nothing follows.
            output.Append("content-length: 0\r\n"u8);
        }

        Downstream.WriteHead(BodyKind.None, last);
        Downstream.WriteEnd([]);
        Finish(keep: !last);
    }

    /// <summary>Percent-encodes as grpc-message wants it: all but visible ASCII and blanks, and the percent sign itself.</summary>
    private static void AppendEncoded(ref NativeBuffer output, ReadOnlySpan<byte> message)
    {
        foreach (var octet in message)
        {
            var room = output.Reserve(3);
            if (octet is >= 0x20 and <= 0x7E and not (byte)'%')
            {
                room[0] = octet;
                output.Commit(1);
                continue;
            }

            room[0] = (byte)'%';
            room[1] = "0123456789ABCDEF"u8[octet >> 4];
            room[2] = "0123456789ABCDEF"u8[octet & 0xF];
            output.Commit(3);
        }
    }
}
