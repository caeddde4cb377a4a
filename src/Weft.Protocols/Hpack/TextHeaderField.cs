// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Hpack;

/// <summary>A header name (lower case in HTTP/2) and its value; text is Latin-1.</summary>
public readonly record struct TextHeaderField(string Name, string Value)
{
    /// <summary>What the field counts for in tables and list limits (RFC 7541 section 4.1), in bytes.</summary>
    public int Size => Name.Length + Value.Length + 32;
}
