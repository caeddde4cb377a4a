// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Http1;

/// <summary>
/// A parsed message head. It holds positions in the buffer that was parsed and no text, so it stays right when the bytes are moved
/// as a whole. Made once per connection and used again for every message.
/// </summary>
/// <remarks>
/// Between two calls of the parser that answered <see cref="ParseStatus.NeedMore"/> it also remembers how far the parser came;
/// call <see cref="Reset"/> before the next message.
/// </remarks>
public abstract class MessageHead
{
    private HeaderField[] _fields = new HeaderField[24];
    private readonly ushort[] _first = new ushort[64];

    /// <summary>Bytes that the head takes, with the empty line at its end and empty lines before it. Valid once parsed.</summary>
    public int Length { get; internal set; }

    /// <summary>Why the parser refused the bytes.</summary>
    public Http1Error Error { get; internal set; }

    /// <summary>1 for HTTP/1.1, 0 for HTTP/1.0.</summary>
    public byte MinorVersion { get; internal set; }

    /// <summary>How the end of the body is found.</summary>
    public BodyFraming Framing { get; internal set; }

    /// <summary>Body length if <see cref="Framing"/> is <see cref="BodyFraming.Length"/>, else -1.</summary>
    public long ContentLength { get; internal set; }

    /// <summary>The connection may carry another message after this one, as far as this one says.</summary>
    public bool KeepAlive { get; internal set; }

    /// <summary>
    /// A request is a WebSocket handshake (RFC 6455 4.2.1), a response names the protocol it changes to; both with Connection's consent.
    /// </summary>
    public bool IsUpgrade { get; internal set; }

    /// <summary>Header fields in the order received.</summary>
    public ReadOnlySpan<HeaderField> Fields => _fields.AsSpan(0, FieldCount);

    public int FieldCount { get; private set; }

    /// <summary>Where the start line begins: behind empty lines.</summary>
    public int StartLineStart { get; internal set; }

    /// <summary>Where the first field line begins.</summary>
    public int FieldsStart { get; internal set; }

    internal ConnectionOptions Options { get; set; }

    /// <summary>One bit for every <see cref="KnownHeader"/> that is there.</summary>
    internal ulong Present { get; private set; }

    internal ParserPhase Phase { get; set; }

    /// <summary>Where the line begins that is not complete yet.</summary>
    internal int LineStart { get; set; }

    /// <summary>Up to here the incomplete line has been searched for its end.</summary>
    internal int Searched { get; set; }

    internal int EmptyLines { get; set; }

    /// <summary>Forgets the message; the next bytes parsed are a new one.</summary>
    public virtual void Reset()
    {
        Length = 0;
        Error = Http1Error.None;
        MinorVersion = 1;
        Framing = BodyFraming.None;
        ContentLength = -1;
        KeepAlive = true;
        IsUpgrade = false;
        FieldCount = 0;
        StartLineStart = 0;
        FieldsStart = 0;
        Options = ConnectionOptions.None;
        Present = 0;
        Phase = ParserPhase.StartLine;
        LineStart = 0;
        Searched = 0;
        EmptyLines = 0;
    }

    private protected void CopyMessage(MessageHead other)
    {
        Length = other.Length;
        Error = other.Error;
        MinorVersion = other.MinorVersion;
        Framing = other.Framing;
        ContentLength = other.ContentLength;
        KeepAlive = other.KeepAlive;
        IsUpgrade = other.IsUpgrade;
        StartLineStart = other.StartLineStart;
        FieldsStart = other.FieldsStart;
        Options = other.Options;
        Present = other.Present;
        Phase = other.Phase;
        if (_fields.Length < other.FieldCount)
        {
            _fields = new HeaderField[other._fields.Length];
        }

        other.Fields.CopyTo(_fields);
        other._first.CopyTo(_first, 0);
        FieldCount = other.FieldCount;
    }

    public bool Has(KnownHeader header) => (Present & (1UL << (int)header)) != 0;

    /// <summary>The value of the first field of that name; false if there is none.</summary>
    public bool TryGet(KnownHeader header, ReadOnlySpan<byte> buffer, out ReadOnlySpan<byte> value)
    {
        if (!Has(header))
        {
            value = default;
            return false;
        }

        value = _fields[_first[(int)header]].Value.Of(buffer);
        return true;
    }

    /// <summary>
    /// Index of the first field of that name at or behind an index, or -1. The name is in lower case. Hidden fields,
    /// as those that Connection names, are not found: who decides must see the message that goes on.
    /// </summary>
    public int IndexOf(ReadOnlySpan<byte> lowerName, ReadOnlySpan<byte> buffer, int from = 0)
    {
        for (var i = from; i < FieldCount; i++)
        {
            ref readonly var field = ref _fields[i];
            if (field.Name.Length == lowerName.Length && (field.Traits & FieldTraits.Hidden) == FieldTraits.None
                && Ascii.EqualsIgnoreCase(field.Name.Of(buffer), lowerName))
            {
                return i;
            }
        }

        return -1;
    }

    internal void Add(in HeaderField field)
    {
        if (FieldCount == _fields.Length)
        {
            // Grows to the largest message seen and stays so; bounded by Http1Rules.MaxFields.
            Array.Resize(ref _fields, _fields.Length * 2);
        }

        var bit = 1UL << (int)field.Known;
        if ((Present & bit) == 0)
        {
            Present |= bit;
            _first[(int)field.Known] = (ushort)FieldCount;
        }

        _fields[FieldCount++] = field;
    }

    /// <summary>From here on it is as if the field were not there: nobody finds it, and it is not forwarded.</summary>
    public void Hide(int index)
    {
        ref var field = ref _fields[index];
        if (!field.IsHopByHop)
        {
            Present &= ~(1UL << (int)field.Known);
        }

        field = field with { Traits = FieldTraits.HopByHop | FieldTraits.Hidden };
    }

    internal int FirstIndex(KnownHeader header) => _first[(int)header];
}

/// <summary>How the end of a body is found (RFC 9112 6.3).</summary>
public enum BodyFraming : byte
{
    None,
    Length,
    Chunked,

    /// <summary>Responses only: the body ends with the connection.</summary>
    UntilClose,

    /// <summary>Behind this head the connection carries another protocol (101, or 2xx to CONNECT).</summary>
    Tunnel,
}

/// <summary>What Connection says.</summary>
[Flags]
internal enum ConnectionOptions : byte
{
    None = 0,
    Close = 1,
    KeepAlive = 2,
    Upgrade = 4,
}

/// <summary>Where in a head the parser is.</summary>
internal enum ParserPhase : byte
{
    StartLine,
    Fields,
    Done,
    Failed,
}
