// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Weft.Control.Serving;

/// <summary>One call over HTTP/2: length-prefixed messages both ways, a status in the trailers.</summary>
internal sealed class GrpcCall(HttpContext context, int maxMessageBytes)
{
    private const int PrefixBytes = 5;
    private readonly PipeReader _input = context.Request.BodyReader;
    private readonly PipeWriter _output = context.Response.BodyWriter;

    public string? Authorization => context.Request.Headers.Authorization.FirstOrDefault();

    public CancellationToken Aborted => context.RequestAborted;

    public static bool IsGrpc(HttpRequest request) =>
        HttpMethods.IsPost(request.Method)
        && request.ContentType is { } type
        && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase);

    /// <summary>The next message; null when the caller has sent its last.</summary>
    public async ValueTask<T?> ReadAsync<T>(MessageParser<T> parser, CancellationToken cancellation)
        where T : class, IMessage<T>
    {
        while (true)
        {
            var read = await _input.ReadAsync(cancellation);
            var buffer = read.Buffer;
            if (TryCut(buffer, out var body, out var consumed))
            {
                try
                {
                    return parser.ParseFrom(body);
                }
                catch (InvalidProtocolBufferException error)
                {
                    throw new GrpcRefusalException(GrpcStatusCode.InvalidArgument, $"The message cannot be read: {error.Message}");
                }
                finally
                {
                    _input.AdvanceTo(consumed);
                }
            }

            _input.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
            {
                return buffer.IsEmpty
                    ? null
                    : throw new GrpcRefusalException(GrpcStatusCode.InvalidArgument, "The call ended in the middle of a message.");
            }
        }
    }

    /// <summary>Sends one message; waits while the caller's window is full.</summary>
    public async ValueTask WriteAsync(IMessage message, CancellationToken cancellation)
    {
        Start();
        var size = message.CalculateSize();
        Prefix(_output.GetSpan(PrefixBytes), size);
        _output.Advance(PrefixBytes);
        message.WriteTo(_output);
        await _output.FlushAsync(cancellation);
    }

    /// <summary>Ends the call.</summary>
    public async Task CompleteAsync(GrpcStatusCode code, string message)
    {
        var text = Encode(message);
        if (context.Response.HasStarted)
        {
            context.Response.AppendTrailer("grpc-status", ((int)code).ToString(System.Globalization.CultureInfo.InvariantCulture));
            context.Response.AppendTrailer("grpc-message", text);
        }
        else
        {
            // Nothing was sent: status and headers travel together (gRPC's "Trailers-Only").
            Start();
            context.Response.Headers["grpc-status"] = ((int)code).ToString(System.Globalization.CultureInfo.InvariantCulture);
            context.Response.Headers["grpc-message"] = text;
        }

        await context.Response.CompleteAsync();
    }

    /// <summary>Sends the headers now, so that the caller knows that it is being served.</summary>
    public Task OpenAsync(CancellationToken cancellation)
    {
        Start();
        return context.Response.StartAsync(cancellation);
    }

    private static void Prefix(Span<byte> target, int size)
    {
        target[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(target[1..], (uint)size);
    }

    private static string Encode(string message)
    {
        // gRPC over HTTP/2, "Status-Message": percent-encoded outside of printable ASCII.
        var text = new StringBuilder(message.Length);
        foreach (var b in Encoding.UTF8.GetBytes(message))
        {
            if (b is >= 0x20 and < 0x7f and not (byte)'%')
            {
                text.Append((char)b);
            }
            else
            {
                text.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return text.ToString();
    }

    private void Start()
    {
        if (!context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status200OK;
            context.Response.ContentType = "application/grpc";
        }
    }

    private bool TryCut(ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> body, out SequencePosition consumed)
    {
        body = default;
        consumed = buffer.Start;
        if (buffer.Length < PrefixBytes)
        {
            return false;
        }

        Span<byte> prefix = stackalloc byte[PrefixBytes];
        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        if (prefix[0] != 0)
        {
            throw new GrpcRefusalException(GrpcStatusCode.Unimplemented, "Compressed messages are not supported.");
        }

        var size = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (size > maxMessageBytes)
        {
            throw new GrpcRefusalException(
                GrpcStatusCode.ResourceExhausted,
                $"The message has {size} bytes; the limit is {maxMessageBytes} ({nameof(ServingLimits)}.{nameof(ServingLimits.MaxMessageBytes)}).");
        }

        if (buffer.Length < PrefixBytes + size)
        {
            return false;
        }

        body = buffer.Slice(PrefixBytes, size);
        consumed = body.End;
        return true;
    }
}
