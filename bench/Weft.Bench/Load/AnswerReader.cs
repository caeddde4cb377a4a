// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;

namespace Weft.Bench.Load;

/// <summary>
/// Finds the end of one HTTP/1.1 answer after the other on a connection; answers must be 200 with a Content-Length, which all origins
/// here give. What else comes throws <see cref="BenchException"/>.
/// </summary>
internal sealed class AnswerReader
{
    private const int HeadLimit = 8 * 1024;

    private readonly byte[] _head = new byte[HeadLimit];
    private int _headLength;
    private long _bodyLeft;

    /// <summary>Takes the next bytes; true when they end the answer.</summary>
    public bool Read(ReadOnlySpan<byte> bytes)
    {
        if (_bodyLeft == 0)
        {
            var end = EndOfHead(bytes);
            if (end < 0)
            {
                return false;
            }

            bytes = bytes[end..];
        }

        if (bytes.Length > _bodyLeft)
        {
            throw new BenchException("An answer is longer than its Content-Length says.");
        }

        _bodyLeft -= bytes.Length;
        return _bodyLeft == 0;
    }

    /// <summary>Where the body begins in the new bytes; -1 if more is needed. Sets the body's length.</summary>
    private int EndOfHead(ReadOnlySpan<byte> bytes)
    {
        if (_headLength == 0 && bytes.IndexOf("\r\n\r\n"u8) is var whole and >= 0)
        {
            _bodyLeft = LengthOf(bytes[..(whole + 2)]);
            return whole + 4;
        }

        // In pieces: rare, so it may cost a copy.
        var before = _headLength;
        var taken = Math.Min(bytes.Length, HeadLimit - before);
        bytes[..taken].CopyTo(_head.AsSpan(before));
        var end = _head.AsSpan(0, before + taken).IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            _headLength = before + taken;
            return _headLength < HeadLimit ? -1 : throw new BenchException($"An answer's head is longer than {HeadLimit} bytes.");
        }

        _bodyLeft = LengthOf(_head.AsSpan(0, end + 2));
        _headLength = 0;
        return end + 4 - before;
    }

    private static long LengthOf(ReadOnlySpan<byte> head)
    {
        if (!head.StartsWith("HTTP/1.1 200"u8))
        {
            throw new BenchException($"An answer is not 200: {System.Text.Encoding.Latin1.GetString(head)}");
        }

        foreach (var range in head.Split("\r\n"u8))
        {
            var line = head[range];
            if (line.Length > 15 && System.Text.Ascii.EqualsIgnoreCase(line[..15], "content-length:"u8)
                && Utf8Parser.TryParse(line[15..].TrimStart((byte)' '), out long length, out _))
            {
                return length;
            }
        }

        throw new BenchException("An answer has no Content-Length.");
    }
}
