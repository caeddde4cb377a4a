// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Http1;

/// <summary>Reads <c>name ":" OWS value OWS</c> (RFC 9112 5), and the fields that frame a message.</summary>
internal static class FieldLine
{
    private const ulong OnlyOnce = (1UL << (int)KnownHeader.Host) | (1UL << (int)KnownHeader.ContentLength)
        | (1UL << (int)KnownHeader.TransferEncoding) | (1UL << (int)KnownHeader.Expect)
        | (1UL << (int)KnownHeader.Authorization);

    /// <summary>Finds name and value of a line; both are checked for characters that may not be there.</summary>
    internal static Http1Error Split(ReadOnlySpan<byte> line, out int nameLength, out int valueStart, out int valueLength)
    {
        (valueStart, valueLength) = (0, 0);
        nameLength = line.IndexOfAnyExcept(Octets.Token);
        if (nameLength <= 0 || line[nameLength] != ':')
        {
            return NameProblem(line, nameLength);
        }

        var value = line[(nameLength + 1)..];
        var bad = value.IndexOfAnyExcept(Octets.FieldValue);
        if (bad >= 0)
        {
            return value[bad] == '\r' ? Http1Error.BareCarriageReturn : Http1Error.FieldValue;
        }

        var withoutFront = value.TrimStart(" \t"u8);
        valueStart = line.Length - withoutFront.Length;
        valueLength = withoutFront.TrimEnd(" \t"u8).Length;
        return Http1Error.None;
    }

    internal static Http1Error Parse(int start, ReadOnlySpan<byte> line, MessageHead head)
    {
        if (Split(line, out var nameLength, out var valueStart, out var valueLength) is var error and not Http1Error.None)
        {
            return error;
        }

        var known = KnownHeaders.Classify(line[..nameLength]);
        var bit = 1UL << (int)known;
        if ((OnlyOnce & bit) != 0)
        {
            error = Framing(line.Slice(valueStart, valueLength), known, head);
            if (error != Http1Error.None)
            {
                return error;
            }
        }

        var flags = (KnownHeaders.HopByHop & bit) != 0 ? FieldTraits.HopByHop : FieldTraits.None;
        head.Add(new HeaderField(
            new TextRange(start, nameLength), new TextRange(start + valueStart, valueLength), known, flags));
        return Http1Error.None;
    }

    private static Http1Error NameProblem(ReadOnlySpan<byte> line, int nameLength)
    {
        if (nameLength < 0)
        {
            return Http1Error.FieldWithoutColon;
        }

        var bad = line[nameLength];
        if (bad is (byte)' ' or (byte)'\t')
        {
            return nameLength == 0 ? Http1Error.Folding
                : line[nameLength..].TrimStart(" \t"u8) is [(byte)':', ..] ? Http1Error.SpaceBeforeColon
                : line.Contains((byte)':') ? Http1Error.FieldName : Http1Error.FieldWithoutColon;
        }

        return bad == '\r' ? Http1Error.BareCarriageReturn : Http1Error.FieldName;
    }

    private static Http1Error Framing(ReadOnlySpan<byte> value, KnownHeader known, MessageHead head)
    {
        var repeated = head.Has(known);
        switch (known)
        {
            case KnownHeader.Host when head is RequestHead:
                return repeated ? Http1Error.HostRepeated
                    : Authorities.TrySplit(value, out _, out _) ? Http1Error.None : Http1Error.HostInvalid;
            case KnownHeader.ContentLength:
                if (!TryReadLength(value, out var length))
                {
                    return Http1Error.LengthInvalid;
                }

                head.ContentLength = length;
                return repeated ? Http1Error.LengthRepeated : Http1Error.None;
            case KnownHeader.TransferEncoding:
                return repeated ? Http1Error.TransferEncodingRepeated
                    : Ascii.EqualsIgnoreCase(value, "chunked"u8) ? Http1Error.None : Http1Error.TransferEncodingInvalid;
            case KnownHeader.Expect when head is RequestHead request:
                request.ExpectsContinue = true;
                return Ascii.EqualsIgnoreCase(value, "100-continue"u8) ? Http1Error.None : Http1Error.Expectation;
            case KnownHeader.Authorization when repeated && head is RequestHead:
                return Http1Error.AuthorizationRepeated;
            default:
                return Http1Error.None;
        }
    }

    /// <summary>
    /// 1*DIGIT that fits in 63 bits; no sign, no list, no white space (RFC 9110 8.6). Zeros in front are refused, too: the grammar has
    /// them, but some read such a number as octal, and forwarders copy the field as it is.
    /// </summary>
    private static bool TryReadLength(ReadOnlySpan<byte> text, out long length)
    {
        length = 0;
        if (text.IsEmpty || (text.Length > 1 && text[0] == '0'))
        {
            return false;
        }

        foreach (var digit in text)
        {
            var value = digit - '0';
            if (value is < 0 or > 9 || length > (long.MaxValue - value) / 10)
            {
                return false;
            }

            length = (length * 10) + value;
        }

        return true;
    }
}
