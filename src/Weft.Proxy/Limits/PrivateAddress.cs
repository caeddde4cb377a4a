// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Limits;

/// <summary>Tells addresses that are used inside a network only, by their text.</summary>
internal static class PrivateAddress
{
    /// <summary>True for 10/8, 172.16/12, 192.168/16, 127/8, ::1 and fc00::/7.</summary>
    internal static bool Is(ReadOnlySpan<byte> address)
    {
        if (address.IndexOf((byte)':') >= 0)
        {
            return address.SequenceEqual("::1"u8) || (address.Length > 2 && (address[0] | 0x20) == 'f' && (address[1] | 0x20) is 'c' or 'd');
        }

        if (address.StartsWith("10."u8) || address.StartsWith("127."u8) || address.StartsWith("192.168."u8))
        {
            return true;
        }

        return address.StartsWith("172."u8) && System.Buffers.Text.Utf8Parser.TryParse(address[4..], out byte second, out _) && second is >= 16 and <= 31;
    }
}
