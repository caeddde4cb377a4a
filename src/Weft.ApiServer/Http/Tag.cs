// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>Documents that clients keep: the answer carries a hash, and who asks with that hash again gets 304 and no body.</summary>
internal static class Tag
{
    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexString(SHA256.HashData(bytes));

    public static Task AnswerAsync(HttpContext context, string type, byte[] bytes, string? hash = null)
    {
        var tag = $"\"{hash ?? Of(bytes)}\"";
        context.Response.Headers.ETag = tag;
        context.Response.Headers.Append("Vary", "Accept");
        if (!context.Request.Headers.IfNoneMatch.ToString().Split(',', StringSplitOptions.TrimEntries).Contains(tag, StringComparer.Ordinal))
        {
            return Answer.BytesAsync(context, 200, type, bytes);
        }

        context.Response.StatusCode = StatusCodes.Status304NotModified;
        return Task.CompletedTask;
    }
}
