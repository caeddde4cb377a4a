// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;

namespace Weft.Protocols.Hpack;

/// <summary>
/// A header list as the decoder makes it: text in one piece, each field as the line <c>name: value CR LF</c>, and where everything
/// stands. One is enough for all connections of a thread, because a list is used up before the next one is decoded.
/// </summary>
/// <remarks>
/// A list over its limits is counted to its end and not kept, so that the connection's table stays right; one that is far over them is
/// given up at once (<see cref="HpackError.ListBomb"/>).
/// </remarks>
internal sealed class HeaderSection
{
    // Decoding by eight octets at a time may write a little behind the text.
    private const int Slack = 16;

    private byte[] _text = new byte[4096];
    private HeaderField[] _fields = new HeaderField[32];
    private readonly TextRange[] _pseudo = new TextRange[(int)PseudoHeader.Unknown + 1];
    private int _maxBytes;
    private int _maxFields;
    private long _bombBytes;
    private long _bombFields;
    private long _listBytes;
    private long _listFields;
    private int _end;
    private int _linesStart;
    private int _pseudoSeen;

    /// <summary>The list is over a limit; nothing in it may be used.</summary>
    internal bool IsTooLarge { get; private set; }

    /// <summary>The first fault of a field by itself.</summary>
    internal FieldFault Fault { get; private set; }

    /// <summary>A pseudo-header stands twice, or behind another field.</summary>
    internal bool HasMisplacedPseudo { get; private set; }

    internal int FieldCount { get; private set; }

    /// <summary>One bit for every <see cref="KnownHeader"/> that is there.</summary>
    internal ulong Present { get; private set; }

    /// <summary>One bit for every <see cref="KnownHeader"/> that is there more than once.</summary>
    internal ulong Repeated { get; private set; }

    /// <summary>Fields named cookie.</summary>
    internal int Cookies { get; private set; }

    internal ReadOnlySpan<byte> Text => _text.AsSpan(0, _end);

    /// <summary>Fields without pseudo-headers.</summary>
    internal ReadOnlySpan<HeaderField> Fields => _fields.AsSpan(0, FieldCount);

    /// <summary>The part of <see cref="Text"/> that holds <see cref="Fields"/>.</summary>
    internal ReadOnlySpan<byte> Lines => FieldCount == 0 ? default : Text[_linesStart..];

    internal bool Has(PseudoHeader pseudo) => (_pseudoSeen & (1 << (int)pseudo)) != 0;

    /// <summary>True if no other pseudo-header than these is there.</summary>
    internal bool HasOnly(int pseudoMask) => (_pseudoSeen & ~pseudoMask) == 0;

    internal ReadOnlySpan<byte> ValueOf(PseudoHeader pseudo) => Has(pseudo) ? _pseudo[(int)pseudo].Of(_text) : default;

    /// <summary>Forgets the list; the next one may have so many bytes and fields.</summary>
    internal void Reset(int maxBytes, int maxFields, int bombFactor = 4)
    {
        _maxBytes = Math.Min(maxBytes, ushort.MaxValue);
        _maxFields = maxFields;
        _bombBytes = (long)_maxBytes * bombFactor;
        _bombFields = (long)maxFields * bombFactor;
        _listBytes = 0;
        _listFields = 0;
        _end = 0;
        _linesStart = 0;
        _pseudoSeen = 0;
        IsTooLarge = false;
        Fault = FieldFault.None;
        HasMisplacedPseudo = false;
        FieldCount = 0;
        Present = 0;
        Repeated = 0;
        Cookies = 0;
    }

    /// <summary>Memory behind the list for a line that is being made; <see cref="Commit"/> makes it a part of the list.</summary>
    internal Span<byte> Room(int length)
    {
        if (_text.Length - _end < length + Slack)
        {
            Array.Resize(ref _text, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(_end + length + Slack)));
        }

        return _text.AsSpan(_end);
    }

    /// <summary>Adds the line that stands in <see cref="Room"/>; false if the list is so far over its limits that it is an attack.</summary>
    internal bool Commit(in FieldShape shape, bool sensitive)
    {
        _listBytes += shape.Size;
        _listFields++;
        if (_listBytes > _maxBytes || _listFields > _maxFields)
        {
            IsTooLarge = true;
            return _listBytes <= _bombBytes && _listFields <= _bombFields;
        }

        if (Fault == FieldFault.None)
        {
            Fault = shape.Kind.Fault;
        }

        if (shape.Kind.Pseudo != PseudoHeader.None)
        {
            var bit = 1 << (int)shape.Kind.Pseudo;
            HasMisplacedPseudo |= FieldCount > 0 || (_pseudoSeen & bit) != 0;
            _pseudoSeen |= bit;
            _pseudo[(int)shape.Kind.Pseudo] = new TextRange(_end + shape.NameLength + 2, shape.ValueLength);
        }
        else
        {
            Keep(shape, sensitive);
        }

        _end += shape.LineLength;
        return true;
    }

    /// <summary>Adds a line of a table; false as <see cref="Commit"/>.</summary>
    internal bool Append(ReadOnlySpan<byte> line, in FieldShape shape)
    {
        if (!IsTooLarge)
        {
            line.CopyTo(Room(line.Length));
        }

        return Commit(shape, sensitive: false);
    }

    private void Keep(in FieldShape shape, bool sensitive)
    {
        if (FieldCount == 0)
        {
            _linesStart = _end;
        }
        else if (FieldCount == _fields.Length)
        {
            Array.Resize(ref _fields, _fields.Length * 2);
        }

        var known = shape.Kind.Known;
        var bit = 1UL << (int)known;
        Repeated |= Present & bit;
        Present |= bit;
        if (known == KnownHeader.Other && shape.NameLength == 6 && _text.AsSpan(_end, 6).SequenceEqual("cookie"u8))
        {
            Cookies++;
        }

        var traits = (bit & KnownHeaders.HopByHop) != 0 ? FieldTraits.HopByHop : FieldTraits.None;
        _fields[FieldCount++] = new HeaderField(
            new TextRange(_end, shape.NameLength),
            new TextRange(_end + shape.NameLength + 2, shape.ValueLength),
            known,
            sensitive ? traits | FieldTraits.NeverIndexed : traits);
    }
}
