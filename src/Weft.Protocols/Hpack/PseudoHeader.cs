// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;

namespace Weft.Protocols.Hpack;

/// <summary>The names that begin with a colon (RFC 9113 section 8.3, RFC 8441 section 4).</summary>
internal enum PseudoHeader : byte
{
    None,
    Method,
    Scheme,
    Authority,
    Path,
    Status,
    Protocol,
    Unknown,
}

/// <summary>What is wrong with a field by itself (RFC 9113 section 8.2.1).</summary>
internal enum FieldFault : byte
{
    None,
    Name,
    Value,
}

/// <summary>What is known of a field, found out once and kept with it in the tables.</summary>
internal readonly record struct FieldKind(KnownHeader Known, PseudoHeader Pseudo, FieldFault Fault)
{
    /// <summary>Judges a name; the value is not looked at.</summary>
    internal static FieldKind OfName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            return new FieldKind(KnownHeader.Other, PseudoHeader.None, FieldFault.Name);
        }

        if (name[0] == ':')
        {
            return new FieldKind(KnownHeader.Other, PseudoOf(name), FieldFault.None);
        }

        var bad = !Octets.IsToken(name) || name.IndexOfAnyInRange((byte)'A', (byte)'Z') >= 0;
        return new FieldKind(KnownHeaders.Classify(name), PseudoHeader.None, bad ? FieldFault.Name : FieldFault.None);
    }

    /// <summary>The same kind with a value of that text; a fault of the name stays.</summary>
    internal FieldKind WithValue(ReadOnlySpan<byte> value)
    {
        // What stands in the tables may carry the fault of a value that was replaced.
        var fault = Fault == FieldFault.Name ? FieldFault.Name : IsTidy(value) ? FieldFault.None : FieldFault.Value;
        return new FieldKind(Known, Pseudo, fault);
    }

    private static bool IsTidy(ReadOnlySpan<byte> value) =>
        value.IsEmpty
        || (value[0] is not ((byte)' ' or (byte)'\t')
            && value[^1] is not ((byte)' ' or (byte)'\t')
            && value.IndexOfAnyExcept(Octets.FieldValue) < 0);

    private static PseudoHeader PseudoOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        5 when name.SequenceEqual(":path"u8) => PseudoHeader.Path,
        7 when name.SequenceEqual(":method"u8) => PseudoHeader.Method,
        7 when name.SequenceEqual(":scheme"u8) => PseudoHeader.Scheme,
        7 when name.SequenceEqual(":status"u8) => PseudoHeader.Status,
        9 when name.SequenceEqual(":protocol"u8) => PseudoHeader.Protocol,
        10 when name.SequenceEqual(":authority"u8) => PseudoHeader.Authority,
        _ => PseudoHeader.Unknown,
    };
}
