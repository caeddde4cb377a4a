// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Text;
using Weft.Protocols.Grpc;
using Weft.Protocols.Http1;
using Weft.Protocols.Http2;

namespace Weft.Proxy.Stacks;

/// <summary>Writes heads, which the stacks hold as HTTP/1.1 text, as HTTP/2 header sections.</summary>
internal static class Http2Head
{
    private const int StatusStart = 9;

    /// <summary>The response head that the text begins with; returns its content-length, -1 if it has none.</summary>
    internal static long WriteResponse(Http2Connection connection, Http2Stream stream, ReadOnlySpan<byte> head, bool end)
    {
        if (!connection.BeginHeaders(stream))
        {
            return -1;
        }

        // An extended CONNECT is granted by 200; HTTP/2 has no 101 (RFC 8441 section 5.1).
        var status = head.Slice(StatusStart, 3);
        connection.Header(":status"u8, status.SequenceEqual("101"u8) ? "200"u8 : status);
        var length = WriteFields(connection, head[(head.IndexOf((byte)'\n') + 1)..], "sec-websocket-accept"u8);
        connection.EndHeaders(end);
        return length;
    }

    /// <summary>The request head that the text begins with, an upgrade as an extended CONNECT.</summary>
    internal static void WriteRequest(Http2Connection connection, Http2Stream stream, Exchange exchange, ReadOnlySpan<byte> head, bool end)
    {
        if (!connection.BeginHeaders(stream))
        {
            return;
        }

        var request = exchange.Request;
        var bytes = exchange.RequestBytes;
        var lineEnd = head.IndexOf((byte)'\r');
        var line = head[..lineEnd];
        var space = line.IndexOf((byte)' ');
        var target = line[(space + 1)..];
        target = target[..target.IndexOf((byte)' ')];
        var rest = head[(lineEnd + 2)..];
        var hostEnd = rest.IndexOf((byte)'\r');
        if (request.IsUpgrade && request.TryGet(KnownHeader.Upgrade, bytes, out var protocol))
        {
            connection.Header(":method"u8, "CONNECT"u8);
            connection.Header(":protocol"u8, protocol);
        }
        else
        {
            connection.Header(":method"u8, line[..space]);
        }

        if (request.Method != KnownMethod.Connect)
        {
            connection.Header(":scheme"u8, SchemeOf(request, bytes));
            connection.Header(":path"u8, target);
        }

        // The head writer puts Host first.
        connection.Header(":authority"u8, rest["host: ".Length..hostEnd]);
        WriteFields(connection, rest[(hostEnd + 2)..], "sec-websocket-key"u8);
        if (exchange.WebForm != GrpcWebForm.None || exchange.IsQuestion || (request.TryGet(KnownHeader.Te, bytes, out var te) && te.IndexOf("trailers"u8) >= 0))
        {
            connection.Header("te"u8, "trailers"u8);
        }

        connection.EndHeaders(end);
    }

    /// <summary>False if none of the lines may be a trailer; nothing is written then.</summary>
    internal static bool WriteTrailers(Http2Connection connection, Http2Stream stream, ReadOnlySpan<byte> trailers)
    {
        var begun = false;
        var lines = new TrailerLines(trailers);
        while (lines.MoveNext())
        {
            if (lines.IsForbidden || (!begun && !connection.BeginHeaders(stream)))
            {
                continue;
            }

            begun = true;
            connection.Header(lines.Name, lines.Value);
        }

        if (begun)
        {
            connection.EndHeaders(endStream: true);
        }

        return begun;
    }

    private static ReadOnlySpan<byte> SchemeOf(RequestHead request, ReadOnlySpan<byte> bytes) =>
        request.TryGet(KnownHeader.XForwardedProto, bytes, out var scheme) && scheme.SequenceEqual("https"u8) ? "https"u8 : "http"u8;

    /// <param name="unused">WebSocket's proof of the direction, which ends where HTTP/2 begins (RFC 8441 section 5).</param>
    private static long WriteFields(Http2Connection connection, ReadOnlySpan<byte> fields, ReadOnlySpan<byte> unused)
    {
        long length = -1;
        var lines = new TrailerLines(fields);
        while (lines.MoveNext())
        {
            switch (KnownHeaders.Classify(lines.Name))
            {
                // Of one connection only, in HTTP/1.1 (RFC 9113 section 8.2.2).
                case KnownHeader.Connection or KnownHeader.KeepAlive or KnownHeader.ProxyConnection or KnownHeader.TransferEncoding or
                    KnownHeader.Upgrade or KnownHeader.Te or KnownHeader.Http2Settings or KnownHeader.Host:
                    continue;
                case KnownHeader.ContentLength:
                    length = Utf8Parser.TryParse(lines.Value, out long number, out _) ? number : -1;
                    break;
                case KnownHeader.Other when Ascii.EqualsIgnoreCase(lines.Name, unused):
                    continue;
            }

            connection.Header(lines.Name, lines.Value);
        }

        return length;
    }
}
