// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using Weft.Protocols.Grpc;
using Weft.Protocols.Http1;
using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>
/// The bridge for browsers, which can send neither gRPC's trailers nor read them: what comes as gRPC-Web goes on as gRPC, and the answer's
/// trailers become the last frame of its body. It stands here and not in a stage because every answer must be in the client's form, also
/// that of a stage that refuses.
/// </summary>
internal sealed partial class Exchange
{
    /// <summary>Base64 is coded in pieces of this many bytes, on the stack; a multiple of three, so that no piece within is padded.</summary>
    private const int CodedBytes = 6 * 1024;

    private Base64Reader _webText;
    private GrpcWebForm _answerForm;

    /// <summary>How the client's body comes; none where the request is no gRPC-Web, or the chain does not bridge it.</summary>
    internal GrpcWebForm WebForm { get; private set; }

    /// <summary>The server answered in gRPC, and the client reads gRPC-Web.</summary>
    internal bool BridgesAnswer { get; private set; }

    /// <summary>The content type that the server sees, as a line.</summary>
    internal void AppendCallType(ref NativeBuffer head)
    {
        head.Append("content-type: application/grpc"u8);
        head.Append(WebFormat());
        head.Append("\r\n"u8);
    }

    /// <summary>The content type of an answer in gRPC's form, as the client reads it.</summary>
    internal void AppendAnswerType(ref NativeBuffer head)
    {
        head.Append(_answerForm switch
        {
            GrpcWebForm.Text => "application/grpc-web-text"u8,
            GrpcWebForm.Binary => "application/grpc-web"u8,
            _ => "application/grpc"u8,
        });
        head.Append(WebFormat());
    }

    private void OpenGrpcWeb()
    {
        WebForm = _answerForm = GrpcWebForm.None;
        BridgesAnswer = false;
        _webText = default;
    }

    /// <summary>True if the request is to be bridged.</summary>
    private bool BeginGrpcWeb()
    {
        if (!Service.Plan.GrpcWeb || !Request.TryGet(KnownHeader.ContentType, RequestBytes, out var type))
        {
            return false;
        }

        WebForm = _answerForm = GrpcWebType.Read(type, out _);
        if (WebForm != GrpcWebForm.None && GrpcWebType.Read(RequestHeader("accept"u8), out _) is var wanted and not GrpcWebForm.None)
        {
            // A client may send one form and read the other.
            _answerForm = wanted;
        }

        return WebForm != GrpcWebForm.None;
    }

    private ReadOnlySpan<byte> WebFormat()
    {
        var format = ReadOnlySpan<byte>.Empty;
        if (WebForm != GrpcWebForm.None && Request.TryGet(KnownHeader.ContentType, RequestBytes, out var type))
        {
            _ = GrpcWebType.Read(type, out format);
        }

        return format;
    }

    private void DecodeRequest(ReadOnlySpan<byte> text)
    {
        Span<byte> decoded = stackalloc byte[CodedBytes];
        while (!text.IsEmpty && !_finished)
        {
            if (!_webText.TryRead(ref text, decoded, out var length))
            {
                RefuseBody(new Failure(FailureKind.BadBase64, "the body is no base64"));
                return;
            }

            if (length > 0)
            {
                SendRequestBody(decoded[..length]);
            }
        }
    }

    private void WriteAnswer(ReadOnlySpan<byte> payload)
    {
        if (!BridgesAnswer || _answerForm != GrpcWebForm.Text)
        {
            Downstream.WriteBody(payload);
            return;
        }

        // Padded where the piece ends, not kept for the next one: a message must be readable when its last byte is here.
        Span<byte> text = stackalloc byte[CodedBytes / 3 * 4];
        while (!payload.IsEmpty)
        {
            var piece = payload[..Math.Min(payload.Length, CodedBytes)];
            payload = payload[piece.Length..];
            _ = Base64.EncodeToUtf8(piece, text, out _, out var length);
            Downstream.WriteBody(text[..length]);
        }
    }

    /// <summary>Puts the trailers into the body and leaves none to be sent behind it.</summary>
    private ReadOnlySpan<byte> EndInBody(ReadOnlySpan<byte> trailers)
    {
        if (!trailers.IsEmpty)
        {
            // The request's own trailers are not needed any more once the answer has ended.
            _trailers.Clear();
            var length = GrpcWebTrailers.Write(trailers, _trailers.Reserve(GrpcWebTrailers.MaxLength(trailers)));
            _trailers.Commit(length);
            ResponseBodyBytes += length;
            WriteAnswer(_trailers.Bytes);
        }

        return [];
    }
}
