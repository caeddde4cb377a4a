// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>Writes answers.</summary>
internal static class Answer
{
    public static async Task JsonAsync(HttpContext context, int code, JsonNode body)
    {
        var bytes = JsonText.Bytes(body);
        await BytesAsync(context, code, "application/json", bytes);
    }

    public static async Task BytesAsync(HttpContext context, int code, string type, ReadOnlyMemory<byte> bytes)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = type;
        context.Response.Headers.CacheControl = "no-cache, private";
        var compressed = bytes.Length > ApiLimits.CompressedBytes && TakesGzip(context);
        if (compressed)
        {
            SayGzip(context);
        }
        else
        {
            context.Response.ContentLength = bytes.Length;
        }

        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        if (!compressed)
        {
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
            return;
        }

        await using var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await gzip.WriteAsync(bytes, context.RequestAborted);
    }

    public static bool TakesGzip(HttpContext context) =>
        context.Request.Headers.AcceptEncoding.ToString().Split(',').Any(coding => coding.Trim() is "gzip");

    public static void SayGzip(HttpContext context)
    {
        context.Response.Headers.ContentEncoding = "gzip";
        context.Response.Headers.Append("Vary", "Accept-Encoding");
    }

    public static Task TextAsync(HttpContext context, int code, string text) =>
        BytesAsync(context, code, "text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(text));

    public static void Warn(HttpContext context, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings)
        {
            var text = warning.Replace('\n', ' ').Replace('\r', ' ').Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal);
            context.Response.Headers.Append("Warning", $"299 - \"{text}\"");
        }
    }
}
