// SPDX-License-Identifier: Apache-2.0

using System.Buffers;

namespace Weft.Protocols.Http1;

/// <summary>The character classes of HTTP, in the form that vectorised searches want.</summary>
internal static class Octets
{
    /// <summary>token = 1*tchar (RFC 9110 5.6.2).</summary>
    internal static readonly SearchValues<byte> Token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>Field values: visible characters, space, tab and obs-text (RFC 9110 5.5); no other control character.</summary>
    internal static readonly SearchValues<byte> FieldValue = SearchValues.Create(
        [.. Enumerable.Range(0, 256).Where(b => b is '\t' or >= 0x20 and not 0x7F).Select(b => (byte)b)]);

    /// <summary>Request targets: visible ASCII without a fragment mark. Clients send more than RFC 3986 allows; controls never pass.</summary>
    internal static readonly SearchValues<byte> Target = SearchValues.Create(
        [.. Enumerable.Range(0x21, 0x7F - 0x21).Where(b => b != '#').Select(b => (byte)b)]);

    /// <summary>Host names: RFC 3986's unreserved characters; nobody has percent signs or commas in one.</summary>
    internal static readonly SearchValues<byte> HostName = SearchValues.Create(
        "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>What may stand between the brackets of an IPv6 address.</summary>
    internal static readonly SearchValues<byte> Ip6 = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    /// <summary>Base64 without its padding (RFC 4648 4).</summary>
    internal static readonly SearchValues<byte> Base64 = SearchValues.Create(
        "+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    internal static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && text.IndexOfAnyExcept(Token) < 0;

    /// <summary>Cuts spaces and tabs off both ends.</summary>
    internal static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t"u8);
}
