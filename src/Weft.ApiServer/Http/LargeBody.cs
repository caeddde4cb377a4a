// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>
/// A JSON answer of unknown size: small ones are sent whole with their length, large ones as they grow, compressed if the client
/// takes that.
/// </summary>
internal sealed class LargeBody(HttpContext context)
{
    private readonly ArrayBufferWriter<byte> _start = new();
    private Stream? _rest;

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_rest is null && _start.WrittenCount + bytes.Length <= ApiLimits.CompressedBytes)
        {
            _start.Write(bytes.Span);
            return;
        }

        if (_rest is null)
        {
            _rest = Open();
            await _rest.WriteAsync(_start.WrittenMemory, context.RequestAborted);
        }

        await _rest.WriteAsync(bytes, context.RequestAborted);
    }

    /// <summary>Sends what is left; without it the answer is not whole, and the client sees that.</summary>
    public async Task EndAsync()
    {
        if (_rest is null)
        {
            await Answer.BytesAsync(context, 200, "application/json", _start.WrittenMemory);
        }
        else
        {
            await _rest.DisposeAsync();
        }
    }

    private Stream Open()
    {
        context.Response.StatusCode = 200;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-cache, private";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return Stream.Null;
        }

        if (!Answer.TakesGzip(context))
        {
            return new BufferedStream(context.Response.Body, 64 * 1024);
        }

        Answer.SayGzip(context);
        return new GZipStream(new BufferedStream(context.Response.Body, 64 * 1024), CompressionLevel.Fastest, leaveOpen: false);
    }
}
