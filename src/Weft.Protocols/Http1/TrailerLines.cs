// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Http1;

/// <summary>Walks over a trailer section that <see cref="ChunkedReader"/> has checked.</summary>
public ref struct TrailerLines(ReadOnlySpan<byte> section)
{
    private ReadOnlySpan<byte> _rest = section;

    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>
    /// The field must not stand in a trailer because it frames, routes or authenticates (RFC 9110 6.5.1); forwarders drop it.
    /// </summary>
    public readonly bool IsForbidden => KnownHeaders.Classify(Name) switch
    {
        KnownHeader.Other or KnownHeader.GrpcStatus or KnownHeader.Server or KnownHeader.Via or KnownHeader.XRequestId =>
            Ascii.EqualsIgnoreCase(Name, "set-cookie"u8) || Ascii.EqualsIgnoreCase(Name, "cookie"u8)
            || Ascii.EqualsIgnoreCase(Name, "content-encoding"u8) || Ascii.EqualsIgnoreCase(Name, "content-range"u8),
        _ => true,
    };

    public bool MoveNext()
    {
        var end = _rest.IndexOf("\r\n"u8);
        if (end < 0)
        {
            return false;
        }

        var line = _rest[..end];
        _rest = _rest[(end + 2)..];
        var colon = line.IndexOf((byte)':');
        Name = line[..colon];
        Value = Octets.Trim(line[(colon + 1)..]);
        return true;
    }
}
