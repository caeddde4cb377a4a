// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Threading.Channels;
using Google.Protobuf;

namespace Weft.Control.Tests.Serving;

/// <summary>Enough of gRPC over HTTP/2 on a Unix socket to be a proxy in tests; not the code that it tests.</summary>
internal sealed class GrpcTestClient(string socket) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
            return new NetworkStream(connection, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://localhost"), Timeout = Timeout.InfiniteTimeSpan };

    public static byte[] Frame(IMessage message)
    {
        var bytes = new byte[5 + message.CalculateSize()];
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), (uint)message.CalculateSize());
        message.WriteTo(bytes.AsSpan(5));
        return bytes;
    }

    public async Task<(T? Answer, string Status, string Message)> CallAsync<T>(string path, string? token, byte[] body, MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        using var content = new ByteArrayContent(body);
        using var response = await SendAsync(path, token, content, CancellationToken.None);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        var (status, message) = StatusOf(response);
        return (bytes.Length > 5 ? parser.ParseFrom(bytes.AsSpan(5)) : null, status, message);
    }

    public async Task<HttpResponseMessage> SendAsync(string path, string? token, HttpContent content, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    public static (string Status, string Message) StatusOf(HttpResponseMessage response)
    {
        static string? In(HttpHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.Single() : null;
        return (
            In(response.TrailingHeaders, "grpc-status") ?? In(response.Headers, "grpc-status") ?? "",
            Uri.UnescapeDataString(In(response.TrailingHeaders, "grpc-message") ?? In(response.Headers, "grpc-message") ?? ""));
    }

    public void Dispose() => _http.Dispose();

    /// <summary>A request body that is written while the response is read.</summary>
    public sealed class Outgoing : HttpContent
    {
        private readonly Channel<byte[]> _frames = Channel.CreateUnbounded<byte[]>();

        public void Send(IMessage message) => _frames.Writer.TryWrite(Frame(message));

        public void SendRaw(byte[] bytes) => _frames.Writer.TryWrite(bytes);

        public void Complete() => _frames.Writer.TryComplete();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await foreach (var frame in _frames.Reader.ReadAllAsync())
            {
                await stream.WriteAsync(frame);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
