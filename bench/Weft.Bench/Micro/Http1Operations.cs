// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;

namespace Weft.Bench.Micro;

/// <summary>HTTP/1.1: heads read and written, chunked bodies read.</summary>
internal static class Http1Operations
{
    private static readonly byte[] _small = "GET /100 HTTP/1.1\r\nHost: 127.0.0.1:28080\r\n\r\n"u8.ToArray();

    private static readonly byte[] _browser = Encoding.ASCII.GetBytes(
        "GET /products/4711?page=2&sort=price HTTP/1.1\r\nHost: shop.example.com\r\n"
        + "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
        + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
        + "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\nX-Request-Id: 6f1c0d4e-7b1f-4a57-9c1e-0c8f5c9d3f1a\r\n"
        + "Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n\r\n");

    private static readonly byte[] _answer = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\nConnection: keep-alive\r\n\r\n");

    private static readonly byte[] _chunked = [.. "3e8\r\n"u8, .. new byte[1000], .. "\r\n3e8\r\n"u8, .. new byte[1000], .. "\r\n0\r\n\r\n"u8];

    public static IEnumerable<Operation> All() =>
    [
        new("HTTP/1.1 read request, 1 header", _small.Length, times => ReadRequests(_small, times)),
        new("HTTP/1.1 read request, 9 headers", _browser.Length, times => ReadRequests(_browser, times)),
        new("HTTP/1.1 read response, 5 headers", _answer.Length, ReadResponses),
        new("HTTP/1.1 write request, 5 headers", 0, WriteRequests),
        new("chunked body, read 2 x 1000 bytes", _chunked.Length, ReadChunked),
    ];

    private static long ReadRequests(byte[] bytes, int times)
    {
        var head = new RequestHead();
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            head.Reset();
            sum += (int)Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default);
        }

        return sum;
    }

    private static long ReadResponses(int times)
    {
        var head = new ResponseHead();
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            head.Reset();
            sum += (int)Http1Parser.TryParseResponse(_answer, head, KnownMethod.Get, Http1Rules.Default);
        }

        return sum;
    }

    private static long WriteRequests(int times)
    {
        Span<byte> room = stackalloc byte[1024];
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            var writer = new Http1Writer(room);
            writer.RequestLine("GET"u8, "/products/4711"u8);
            writer.Header("host"u8, "shop.example.com"u8);
            writer.Header("user-agent"u8, "curl/8.14.1"u8);
            writer.Header("accept"u8, "*/*"u8);
            writer.Header("x-request-id"u8, "6f1c0d4e-7b1f-4a57-9c1e-0c8f5c9d3f1a"u8);
            writer.Header("content-length"u8, i & 1023);
            sum += writer.Length;
        }

        return sum;
    }

    private static long ReadChunked(int times)
    {
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            var reader = default(ChunkedReader);
            var rest = _chunked.AsSpan();
            for (var status = ChunkStatus.Payload; status == ChunkStatus.Payload;)
            {
                status = reader.Read(rest, Http1Rules.Default, out var consumed, out var piece);
                rest = rest[consumed..];
                sum += piece.Length;
            }
        }

        return sum;
    }
}
