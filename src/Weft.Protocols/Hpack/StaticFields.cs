// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Hpack;

/// <summary>
/// The 61 fields that both sides know without being told (RFC 7541 appendix A), laid out as <see cref="HeaderSection"/> wants them and
/// found by name with one look. Indices start at 1.
/// </summary>
internal static class StaticFields
{
    internal const int Count = 61;

    private const int Slots = 256;

    private static readonly byte[][] _lines = new byte[Count + 1][];
    private static readonly FieldShape[] _shapes = new FieldShape[Count + 1];
    private static readonly byte[] _byName = new byte[Slots];

    static StaticFields()
    {
        for (var index = Count; index >= 1; index--)
        {
            var (name, value) = StaticTable.Entry(index);
            _lines[index] = Encoding.ASCII.GetBytes($"{name}: {value}\r\n");
            _shapes[index] = new FieldShape((ushort)name.Length, (ushort)value.Length, FieldKind.OfName(Encoding.ASCII.GetBytes(name)));
        }

        // Only the first of several entries with one name is entered: they follow each other.
        for (var index = 1; index <= Count; index++)
        {
            if (FindName(NameOf(index)) == 0)
            {
                var slot = SlotOf(NameOf(index));
                while (_byName[slot] != 0)
                {
                    slot = (slot + 1) & (Slots - 1);
                }

                _byName[slot] = (byte)index;
            }
        }
    }

    /// <summary>The line <c>name: value CR LF</c> of an index from 1 to <see cref="Count"/>.</summary>
    internal static ReadOnlySpan<byte> Line(int index, out FieldShape shape)
    {
        shape = _shapes[index];
        return _lines[index];
    }

    /// <summary>The first index of that name in lower case, or 0.</summary>
    internal static int FindName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            return 0;
        }

        for (var slot = SlotOf(name); _byName[slot] != 0; slot = (slot + 1) & (Slots - 1))
        {
            if (NameOf(_byName[slot]).SequenceEqual(name))
            {
                return _byName[slot];
            }
        }

        return 0;
    }

    /// <summary>The index of the field whose name <see cref="FindName"/> found at <paramref name="first"/>, or 0.</summary>
    internal static int FindValue(int first, ReadOnlySpan<byte> value)
    {
        var name = NameOf(first);
        for (var index = first; index <= Count && NameOf(index).SequenceEqual(name); index++)
        {
            if (_lines[index].AsSpan(name.Length + 2, _shapes[index].ValueLength).SequenceEqual(value))
            {
                return index;
            }
        }

        return 0;
    }

    private static ReadOnlySpan<byte> NameOf(int index) => _lines[index].AsSpan(0, _shapes[index].NameLength);

    private static int SlotOf(ReadOnlySpan<byte> name) =>
        ((name.Length * 29) + (name[0] * 3) + (name[^1] * 7) + name[name.Length / 2]) & (Slots - 1);
}

/// <summary>Lengths and kind of a field in a table; its text is the line <c>name: value CR LF</c>.</summary>
internal readonly record struct FieldShape(ushort NameLength, ushort ValueLength, FieldKind Kind)
{
    /// <summary>What stands between name and value, and behind the value.</summary>
    internal const int Separators = 4;

    internal int LineLength => NameLength + ValueLength + Separators;

    /// <summary>What the field counts for in tables and list limits (RFC 7541 section 4.1), in bytes.</summary>
    internal int Size => NameLength + ValueLength + 32;
}
