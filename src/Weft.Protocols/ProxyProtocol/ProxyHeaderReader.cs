// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.ProxyProtocol;

/// <summary>
/// Reads the header, version 1 or 2, that a load balancer puts before a connection's bytes (PROXY protocol specification of HAProxy,
/// revision of 2020). Strict: one spelling for each meaning.
/// </summary>
public static class ProxyHeaderReader
{
    /// <summary>Longest line of version 1, CRLF included (§2.1).</summary>
    public const int MaxLineBytes = 107;

    /// <summary>Longest rest of version 2 after its first 16 bytes, addresses and TLVs together; the format itself would allow 65,535.</summary>
    public const int MaxBodyBytes = 4096;

    internal static ReadOnlySpan<byte> TextStart => "PROXY "u8;

    internal static ReadOnlySpan<byte> BinaryStart => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Looks at a connection's first bytes; call again with more on <see cref="ProxyHeaderStatus.NeedMore"/>.</summary>
    /// <param name="bytes">All bytes so far.</param>
    /// <param name="header">What it says, if done.</param>
    /// <param name="length">Bytes of the header, if done: what follows is the client's own.</param>
    /// <param name="error">Why it is refused.</param>
    public static ProxyHeaderStatus TryRead(ReadOnlySpan<byte> bytes, out ProxyHeader header, out int length, out ProxyHeaderError error)
    {
        header = default;
        length = 0;
        error = ProxyHeaderError.None;
        if (Begins(bytes, BinaryStart))
        {
            return BinaryHeader.TryRead(bytes, ref header, ref length, ref error);
        }

        return Begins(bytes, TextStart) ? TextHeader.TryRead(bytes, ref header, ref length, ref error) : ProxyHeaderStatus.Absent;
    }

    internal static ProxyHeaderStatus Refuse(ProxyHeaderError why, ref ProxyHeaderError error)
    {
        error = why;
        return ProxyHeaderStatus.Refused;
    }

    private static bool Begins(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> start) =>
        bytes.Length < start.Length ? start.StartsWith(bytes) : bytes.StartsWith(start);
}
