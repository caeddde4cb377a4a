// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>
/// Finds the payload in a chunked body that arrives in pieces (RFC 9112 7.1). Keep one for each body; it needs no memory of its own.
/// </summary>
/// <remarks>
/// Call <see cref="Read"/> with the bytes that were not consumed yet until it says <see cref="ChunkStatus.Done"/>. It consumes
/// whole lines and as much payload as is there. The trailer section is consumed as one piece, so the caller's buffer must be able
/// to hold <see cref="Http1Rules.MaxTrailerBytes"/>.
/// </remarks>
public struct ChunkedReader
{
    private long _left;
    private int _extensionBytes;
    private Phase _phase;

    private enum Phase : byte
    {
        Size,
        Payload,
        PayloadEnd,
        Trailers,
        Done,
        Failed,
    }

    /// <summary>Why the body was refused.</summary>
    public Http1Error Error { get; private set; }

    public readonly bool IsDone => _phase == Phase.Done;

    /// <summary>Payload bytes that the current chunk still owes.</summary>
    public readonly long LeftInChunk => _left;

    /// <summary>Goes one step on.</summary>
    /// <param name="input">Bytes of the body that were not consumed yet.</param>
    /// <param name="rules">Limits.</param>
    /// <param name="consumed">How many bytes of the input are done with, payload included.</param>
    /// <param name="piece">
    /// The payload found, or with <see cref="ChunkStatus.Done"/> the trailer section without its last line; a part of the input.
    /// </param>
    public ChunkStatus Read(ReadOnlySpan<byte> input, Http1Rules rules, out int consumed, out ReadOnlySpan<byte> piece)
    {
        consumed = 0;
        piece = default;
        while (true)
        {
            var rest = input[consumed..];
            switch (_phase)
            {
                case Phase.Size:
                    if (ReadSize(rest, rules, ref consumed) is var size and not ChunkStatus.Payload)
                    {
                        return size;
                    }

                    break;
                case Phase.Payload when rest.IsEmpty:
                    return ChunkStatus.NeedMore;
                case Phase.Payload:
                    piece = rest[..(int)Math.Min(rest.Length, _left)];
                    consumed += piece.Length;
                    _left -= piece.Length;
                    _phase = _left == 0 ? Phase.PayloadEnd : Phase.Payload;
                    return ChunkStatus.Payload;
                case Phase.PayloadEnd:
                    if (rest is not ([(byte)'\r', (byte)'\n', ..] or [] or [(byte)'\r']))
                    {
                        return Fail(Http1Error.ChunkEnd);
                    }

                    if (rest.Length < 2)
                    {
                        return ChunkStatus.NeedMore;
                    }

                    consumed += 2;
                    _phase = Phase.Size;
                    break;
                case Phase.Trailers:
                    return ReadTrailers(rest, rules, ref consumed, out piece);
                case Phase.Done:
                    return ChunkStatus.Done;
                default:
                    return ChunkStatus.Invalid;
            }
        }
    }

    private ChunkStatus ReadSize(ReadOnlySpan<byte> rest, Http1Rules rules, scoped ref int consumed)
    {
        var newline = rest[..Math.Min(rest.Length, rules.MaxChunkLineBytes + 2)].IndexOf((byte)'\n');
        var line = newline < 0 ? rest : rest[..newline];
        var complete = newline >= 0;
        if (complete && line is not [.., (byte)'\r'])
        {
            return Fail(Http1Error.BareLineFeed);
        }

        // Only LF can follow a CR, so the line's text is complete with it.
        var ended = line is [.., (byte)'\r'];
        line = ended ? line[..^1] : line;
        if (line.Length > rules.MaxChunkLineBytes)
        {
            return Fail(Http1Error.ChunkLineTooLong);
        }

        if (ParseSize(line, ended, out var digits) is var error and not Http1Error.None)
        {
            return Fail(error);
        }

        if (!complete)
        {
            _left = 0;
            return ChunkStatus.NeedMore;
        }

        _extensionBytes += line.Length - digits;
        if (_extensionBytes > rules.MaxChunkExtensionBytes)
        {
            return Fail(Http1Error.ChunkExtensionsTooLong);
        }

        consumed += newline + 1;
        _phase = _left == 0 ? Phase.Trailers : Phase.Payload;
        return ChunkStatus.Payload;
    }

    private Http1Error ParseSize(ReadOnlySpan<byte> line, bool complete, out int digits)
    {
        const int LongestSize = 16;
        long size = 0;
        for (digits = 0; digits < line.Length && char.IsAsciiHexDigit((char)line[digits]); digits++)
        {
            if (digits == LongestSize || size > long.MaxValue >> 4)
            {
                return Http1Error.ChunkSizeTooLarge;
            }

            size = (size << 4) | (uint)HexValue(line[digits]);
        }

        _left = size;
        if (digits == 0)
        {
            return complete || !line.IsEmpty ? Http1Error.ChunkSize : Http1Error.None;
        }

        if (digits == line.Length)
        {
            return Http1Error.None;
        }

        if (line[digits] != ';')
        {
            return Http1Error.ChunkSize;
        }

        return ChunkExtensions.AreValid(line[digits..], complete) ? Http1Error.None : Http1Error.ChunkExtension;
    }

    private ChunkStatus ReadTrailers(ReadOnlySpan<byte> rest, Http1Rules rules, scoped ref int consumed, out ReadOnlySpan<byte> piece)
    {
        piece = default;
        var at = 0;
        var count = 0;
        while (true)
        {
            var newline = rest[at..].IndexOf((byte)'\n');
            var end = newline < 0 ? rest.Length : at + newline + 1;
            if (end > rules.MaxTrailerBytes)
            {
                return Fail(Http1Error.TrailersTooLong);
            }

            if (newline < 0)
            {
                return ChunkStatus.NeedMore;
            }

            var line = rest[at..(end - 1)];
            if (line is not [.., (byte)'\r'])
            {
                return Fail(Http1Error.BareLineFeed);
            }

            line = line[..^1];
            if (line.IsEmpty)
            {
                piece = rest[..at];
                consumed += end;
                _phase = Phase.Done;
                return ChunkStatus.Done;
            }

            if (++count > rules.MaxTrailers)
            {
                return Fail(Http1Error.TooManyTrailers);
            }

            if (FieldLine.Split(line, out _, out _, out _) is var error and not Http1Error.None)
            {
                return Fail(error == Http1Error.BareCarriageReturn ? error : Http1Error.TrailerInvalid);
            }

            at = end;
        }
    }

    private ChunkStatus Fail(Http1Error error)
    {
        Error = error;
        _phase = Phase.Failed;
        return ChunkStatus.Invalid;
    }

    private static int HexValue(byte digit) => digit switch
    {
        <= (byte)'9' => digit - '0',
        <= (byte)'F' => digit - 'A' + 10,
        _ => digit - 'a' + 10,
    };
}

/// <summary>What <see cref="ChunkedReader"/> found.</summary>
public enum ChunkStatus : byte
{
    /// <summary>A piece of payload; call again with the rest.</summary>
    Payload,

    /// <summary>What was not consumed is the beginning of something; call again when more has arrived.</summary>
    NeedMore,

    /// <summary>The body is complete; bytes behind what was consumed belong to the next message.</summary>
    Done,

    /// <summary>The body is refused; the connection cannot be used any more.</summary>
    Invalid,
}
