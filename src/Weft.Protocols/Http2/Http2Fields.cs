// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;

namespace Weft.Protocols.Http2;

/// <summary>
/// A received header section that passed every rule of RFC 9113 section 8. It is a view of memory that the next frame overwrites:
/// whoever needs it longer copies it.
/// </summary>
public readonly ref struct Http2Fields
{
    /// <summary>What the positions in <see cref="Entries"/> count from.</summary>
    public ReadOnlySpan<byte> Bytes { get; internal init; }

    /// <summary>
    /// The fields without pseudo-headers, in the order received. Cookie crumbs are one field (RFC 9113 section 8.2.3), Host has become
    /// <see cref="Authority"/>. Names are in lower case; values are tidy.
    /// </summary>
    public ReadOnlySpan<HeaderField> Entries { get; internal init; }

    /// <summary>The same fields as HTTP/1.1 writes them: <c>name: value CR LF</c> for each, nothing around them.</summary>
    public ReadOnlySpan<byte> Lines { get; internal init; }

    /// <summary><c>:method</c> of a request.</summary>
    public ReadOnlySpan<byte> Method { get; internal init; }

    /// <summary><c>:scheme</c> of a request; empty for a plain CONNECT.</summary>
    public ReadOnlySpan<byte> Scheme { get; internal init; }

    /// <summary>Host and port that a request is for: <c>:authority</c>, else Host. A request always has one.</summary>
    public ReadOnlySpan<byte> Authority { get; internal init; }

    /// <summary><c>:path</c> of a request with its query, or <c>*</c>; empty for a plain CONNECT.</summary>
    public ReadOnlySpan<byte> Path { get; internal init; }

    /// <summary><c>:protocol</c> of an extended CONNECT (RFC 8441), else empty.</summary>
    public ReadOnlySpan<byte> Protocol { get; internal init; }

    /// <summary><c>:status</c> of a response, 100 to 599 but never 101; else 0.</summary>
    public int Status { get; internal init; }

    /// <summary>Content-Length, which the DATA frames will be held to; -1 if the message does not say.</summary>
    public long ContentLength { get; internal init; }

    /// <summary>Which method a request has.</summary>
    public KnownMethod KnownMethod { get; internal init; }

    internal ulong Present { get; init; }

    public bool Has(KnownHeader header) => (Present & (1UL << (int)header)) != 0;

    /// <summary>The value of the first field of that name; false if there is none.</summary>
    public bool TryGet(KnownHeader header, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!Has(header))
        {
            return false;
        }

        foreach (ref readonly var entry in Entries)
        {
            if (entry.Known == header)
            {
                value = entry.Value.Of(Bytes);
                return true;
            }
        }

        return false;
    }

    /// <summary>The value of the first field whose name, in lower case, is the given one; false if there is none.</summary>
    public bool TryGet(ReadOnlySpan<byte> lowerName, out ReadOnlySpan<byte> value)
    {
        foreach (ref readonly var entry in Entries)
        {
            if (entry.Name.Length == lowerName.Length && entry.Name.Of(Bytes).SequenceEqual(lowerName))
            {
                value = entry.Value.Of(Bytes);
                return true;
            }
        }

        value = default;
        return false;
    }
}
