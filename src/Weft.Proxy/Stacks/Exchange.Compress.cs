// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;
using Weft.Proxy.Compression;
using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Stacks;

/// <summary>What is different where the answer is compressed for the client.</summary>
internal sealed partial class Exchange
{
    /// <summary>The answer's length and its strong tag are not those of what the client gets.</summary>
    internal bool CompressesAnswer => _extras?.Compressor is not null;

    /// <summary>True for a field of the server's answer that does not hold for the compressed one.</summary>
    internal bool CompressionDrops(in HeaderField field, ReadOnlySpan<byte> bytes)
    {
        if (!CompressesAnswer)
        {
            return false;
        }

        return field.Known == KnownHeader.ContentLength || Ascii.EqualsIgnoreCase(field.Name.Of(bytes), "accept-ranges"u8) ||
            (Ascii.EqualsIgnoreCase(field.Name.Of(bytes), "etag"u8) && !field.Value.Of(bytes).StartsWith("W/"u8));
    }

    /// <summary>The lines that say how the body goes, and on what that depends.</summary>
    internal void AppendCompression(ref NativeBuffer head)
    {
        if (_extras is not { VariesByCoding: true } extras)
        {
            return;
        }

        if (extras.Compressor is not null)
        {
            HeadWriter.AppendLine(ref head, "content-encoding"u8, extras.Compression!.Name);
        }

        head.Append("vary: accept-encoding\r\n"u8);
    }

    /// <summary>Decides when the head of the answer is here.</summary>
    private void BeginCompression(ReadOnlySpan<byte> bytes, BodyKind body)
    {
        var rules = Service.Compression;
        if (rules.Length == 0 || body is BodyKind.None or BodyKind.Tunnel || IsGrpc || IsAside || Request.Method == KnownMethod.Head)
        {
            return;
        }

        var accepted = Request.IndexOf("accept-encoding"u8, RequestBytes) is >= 0 and var index ? Request.Fields[index].Value.Of(RequestBytes) : default;
        var liking = 0;
        foreach (var rule in rules)
        {
            if (!rule.MayCompress(Response, bytes))
            {
                continue;
            }

            Extras.VariesByCoding = true;
            if (CompressionRules.Liking(accepted, rule.Name) is var liked && liked > liking)
            {
                liking = liked;
                Extras.Compression = rule;
            }
        }

        if (_extras is not { Compression: { } chosen } extras)
        {
            return;
        }

        extras.Compressor = Loop.RentCompressor();
        if (extras.Compressor is null)
        {
            Loop.Metrics.Hit(ProxyLimit.Compressors);
            return;
        }

        extras.Compressor.Open(Downstream, chosen.Plan);
    }

    private void FinishCompression()
    {
        if (_extras is { Compressor: { } compressor })
        {
            compressor.End();
            ResponseBodyBytes = compressor.Sent;
        }
    }

    private void EndCompression(ExchangeExtras extras)
    {
        if (extras.Compressor is { } compressor)
        {
            extras.Compressor = null;
            compressor.Drop();
            Loop.Return(compressor);
        }
    }
}
