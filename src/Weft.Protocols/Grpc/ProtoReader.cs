// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Grpc;

/// <summary>
/// Reads the fields of one protobuf message where it lies, without an allocation. What is damaged ends the reading and is told by
/// <see cref="IsDamaged"/>; groups, which nobody sends any more, count as damage.
/// </summary>
public ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private const int TypeBits = 3;
    private const int MaxField = (1 << 29) - 1;

    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The bytes are no message.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>The number of the field that was read last.</summary>
    public int Field { get; private set; }

    /// <summary>Its value where it is a number; a fixed one as its bits.</summary>
    public ulong Number { get; private set; }

    /// <summary>Its value where it is a text, bytes or a message; else empty.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The next field; false at the end and before damage.</summary>
    public bool Read()
    {
        Bytes = default;
        Number = 0;
        if (_rest.IsEmpty || IsDamaged)
        {
            return false;
        }

        if (!TryVarint(out var tag) || tag >> TypeBits is 0 or > MaxField)
        {
            return Damaged();
        }

        Field = (int)(tag >> TypeBits);
        switch ((int)tag & ((1 << TypeBits) - 1))
        {
            case 0:
                var hasNumber = TryVarint(out var number);
                Number = number;
                return hasNumber || Damaged();
            case 1:
                return TryFixed(sizeof(ulong)) || Damaged();
            case 5:
                return TryFixed(sizeof(uint)) || Damaged();
            case 2 when TryVarint(out var length) && length <= (ulong)_rest.Length:
                Bytes = _rest[..(int)length];
                _rest = _rest[(int)length..];
                return true;
            default:
                return Damaged();
        }
    }

    private bool TryFixed(int size)
    {
        if (_rest.Length < size)
        {
            return false;
        }

        for (var i = size - 1; i >= 0; i--)
        {
            Number = (Number << 8) | _rest[i];
        }

        _rest = _rest[size..];
        return true;
    }

    private bool TryVarint(out ulong value)
    {
        const int MostBits = 64;
        value = 0;
        for (var shift = 0; shift < MostBits && !_rest.IsEmpty; shift += 7)
        {
            var octet = _rest[0];
            _rest = _rest[1..];
            value |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80)
            {
                return true;
            }
        }

        return false;
    }

    private bool Damaged()
    {
        IsDamaged = true;
        return false;
    }
}
