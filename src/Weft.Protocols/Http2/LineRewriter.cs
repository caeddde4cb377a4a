// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Hpack;
using Weft.Protocols.Http1;

namespace Weft.Protocols.Http2;

/// <summary>
/// Makes the fields of a section again where they cannot stay as they came: Host goes, because the authority says it, and the cookie crumbs
/// become one field at the end (RFC 9113 section 8.2.3).
/// </summary>
internal sealed class LineRewriter
{
    private byte[] _text = [];
    private HeaderField[] _fields = [];
    private int _end;

    internal int Count { get; private set; }

    internal ReadOnlySpan<byte> Text => _text.AsSpan(0, _end);

    internal ReadOnlySpan<HeaderField> Fields => _fields.AsSpan(0, Count);

    internal void Rewrite(HeaderSection section)
    {
        // Joining writes no more than it reads: "; " is shorter than a line's name and ends.
        if (_text.Length < section.Text.Length)
        {
            _text = new byte[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)section.Text.Length)];
        }

        if (_fields.Length < section.FieldCount)
        {
            _fields = new HeaderField[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)section.FieldCount)];
        }

        _end = 0;
        Count = 0;
        foreach (ref readonly var field in section.Fields)
        {
            if (field.Known != KnownHeader.Host && !IsCookie(section, field))
            {
                Copy(section.Text, field);
            }
        }

        if (section.Cookies > 0)
        {
            JoinCookies(section);
        }
    }

    private static bool IsCookie(HeaderSection section, in HeaderField field) =>
        section.Cookies > 0 && field.Known == KnownHeader.Other && field.Name.Of(section.Text).SequenceEqual("cookie"u8);

    private void Copy(ReadOnlySpan<byte> text, in HeaderField field)
    {
        var moved = _end - field.Name.Start;
        text[field.Name.Start..(field.Value.End + 2)].CopyTo(_text.AsSpan(_end));
        _fields[Count++] = field with
        {
            Name = new TextRange(field.Name.Start + moved, field.Name.Length),
            Value = new TextRange(field.Value.Start + moved, field.Value.Length),
        };
        _end += field.Value.End + 2 - field.Name.Start;
    }

    private void JoinCookies(HeaderSection section)
    {
        var start = _end;
        var traits = FieldTraits.None;
        Put("cookie: "u8);
        foreach (ref readonly var field in section.Fields)
        {
            if (IsCookie(section, field))
            {
                if (_end > start + 8)
                {
                    Put("; "u8);
                }

                Put(field.Value.Of(section.Text));
                traits |= field.Traits;
            }
        }

        _fields[Count++] = new HeaderField(new TextRange(start, 6), new TextRange(start + 8, _end - start - 8), KnownHeader.Other, traits);
        Put("\r\n"u8);
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_text.AsSpan(_end));
        _end += bytes.Length;
    }
}
