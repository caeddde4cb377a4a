// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text;

namespace Weft.Proxy.Limits;

/// <summary>Whether a field that another service wants to be added may be: it must be one line, and none that frames or routes a message.</summary>
internal static class AddedLine
{
    private static readonly SearchValues<byte> _token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    internal static bool IsUsable(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        !name.IsEmpty && name.IndexOfAnyExcept(_token) < 0 && IsValue(value) && !IsFraming(name);

    /// <summary>No control characters but the tab.</summary>
    internal static bool IsValue(ReadOnlySpan<byte> value)
    {
        foreach (var octet in value)
        {
            if (octet is (< 0x20 and not (byte)'\t') or 0x7F)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsFraming(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => Ascii.EqualsIgnoreCase(name, "te"u8),
        4 => Ascii.EqualsIgnoreCase(name, "host"u8),
        7 => Ascii.EqualsIgnoreCase(name, "trailer"u8) || Ascii.EqualsIgnoreCase(name, "upgrade"u8),
        10 => Ascii.EqualsIgnoreCase(name, "connection"u8) || Ascii.EqualsIgnoreCase(name, "keep-alive"u8),
        14 => Ascii.EqualsIgnoreCase(name, "content-length"u8),
        16 => Ascii.EqualsIgnoreCase(name, "proxy-connection"u8),
        17 => Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8),
        _ => false,
    };
}
