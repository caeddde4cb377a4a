// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Weft.Protocols.Http1;
using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>
/// WebSocket's proof that both ends mean it, which HTTP/1.1 asks for (RFC 6455 section 4) and HTTP/2 does not (RFC 8441 section 5): made where the one
/// side speaks HTTP/1.1 and the other HTTP/2.
/// </summary>
internal static class WebSocketKey
{
    private const int KeyBytes = 16;
    private const int LongestKey = 128;

    private static ReadOnlySpan<byte> Guid => "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8;

    /// <summary>The key of a request that came without one.</summary>
    internal static void AppendKey(ref NativeBuffer head, Exchange exchange)
    {
        var bytes = exchange.RequestBytes;
        if (!exchange.Request.TryGet(KnownHeader.Upgrade, bytes, out var protocol) || !System.Text.Ascii.EqualsIgnoreCase(protocol, "websocket"u8) ||
            exchange.Request.IndexOf("sec-websocket-key"u8, bytes) >= 0)
        {
            return;
        }

        Span<byte> key = stackalloc byte[KeyBytes];
        exchange.Loop.Random.NextBytes(key);
        AppendLine(ref head, "sec-websocket-key: "u8, key);
    }

    /// <summary>The answer to a client's key, where it sent one.</summary>
    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "RFC 6455 says SHA-1; nothing is protected by it.")]
    internal static void AppendAccept(ref NativeBuffer head, Exchange exchange)
    {
        var bytes = exchange.RequestBytes;
        var index = exchange.Request.IndexOf("sec-websocket-key"u8, bytes);
        if (index < 0)
        {
            return;
        }

        var key = exchange.Request.Fields[index].Value.Of(bytes);
        if (key.Length > LongestKey)
        {
            return;
        }

        Span<byte> text = stackalloc byte[LongestKey + Guid.Length];
        key.CopyTo(text);
        Guid.CopyTo(text[key.Length..]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(text[..(key.Length + Guid.Length)], hash);
        AppendLine(ref head, "sec-websocket-accept: "u8, hash);
    }

    private static void AppendLine(ref NativeBuffer head, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        head.Append(name);
        Base64.EncodeToUtf8(value, head.Reserve(Base64.GetMaxEncodedToUtf8Length(value.Length)), out _, out var length);
        head.Commit(length);
        head.Append("\r\n"u8);
    }
}
