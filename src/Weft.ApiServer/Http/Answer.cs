// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>Writes answers.</summary>
internal static class Answer
{
    /// <summary>Characters of all warnings of one answer.</summary>
    public const int MaxWarnings = 4 * 1024;

    /// <summary>Characters of one of very many.</summary>
    public const int MaxWarning = 256;

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

    /// <summary>
    /// Says warnings in headers. As Kubernetes does it: each once, and when they are longer together than <see cref="MaxWarnings"/> each is
    /// cut to <see cref="MaxWarning"/> and those that do not fit are left out.
    /// </summary>
    public static void Warn(HttpContext context, IEnumerable<string> warnings)
    {
        var all = warnings.Distinct(StringComparer.Ordinal).ToList();
        var isLong = all.Sum(warning => warning.Length) > MaxWarnings;
        var room = MaxWarnings;
        foreach (var whole in all)
        {
            var warning = isLong && whole.Length > MaxWarning ? whole[..MaxWarning] : whole;
            room -= warning.Length;
            if (room < 0)
            {
                return;
            }

            var text = warning.Replace('\n', ' ').Replace('\r', ' ').Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal);
            context.Response.Headers.Append("Warning", $"299 - \"{text}\"");
        }
    }
}
