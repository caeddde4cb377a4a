// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;

namespace Weft.Protocols.Http1;

/// <summary>
/// Writes HTTP/1.1 into a buffer of the caller. When the buffer is too small it writes nothing more and says so once at the end,
/// so that callers need one check instead of one per field.
/// </summary>
public ref struct Http1Writer(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Something did not fit; what was written is incomplete and must not be sent.</summary>
    public bool Overflowed { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _destination[..Length];

    /// <summary>Writes bytes as they are.</summary>
    public void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        if (Overflowed || bytes.Length > _destination.Length - Length)
        {
            Overflowed = true;
            return;
        }

        bytes.CopyTo(_destination[Length..]);
        Length += bytes.Length;
    }

    /// <summary><c>method SP target SP HTTP/1.1</c>.</summary>
    public void RequestLine(scoped ReadOnlySpan<byte> method, scoped ReadOnlySpan<byte> target)
    {
        Raw(method);
        Raw(" "u8);
        Raw(target);
        Raw(" HTTP/1.1\r\n"u8);
    }

    /// <summary>The status line with the usual reason phrase.</summary>
    public void StatusLine(int status)
    {
        var line = StatusLines.Of(status);
        if (!line.IsEmpty)
        {
            Raw(line);
            return;
        }

        StatusLine(status, default);
    }

    /// <summary>The status line with a reason phrase, perhaps empty.</summary>
    public void StatusLine(int status, scoped ReadOnlySpan<byte> reason)
    {
        Raw("HTTP/1.1 "u8);
        Number(status);
        Raw(" "u8);
        Raw(reason);
        Raw("\r\n"u8);
    }

    /// <summary>One field. Name and value must be free of line breaks; they come from the parser or from a checked plan.</summary>
    public void Header(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Raw(name);
        Raw(": "u8);
        Raw(value);
        Raw("\r\n"u8);
    }

    public void Header(scoped ReadOnlySpan<byte> name, long value)
    {
        Raw(name);
        Raw(": "u8);
        Number(value);
        Raw("\r\n"u8);
    }

    /// <summary>The field or fields that announce the body in the canonical form; nothing for the other framings.</summary>
    public void Framing(BodyFraming framing, long contentLength)
    {
        if (framing == BodyFraming.Chunked)
        {
            Raw("transfer-encoding: chunked\r\n"u8);
        }
        else if (framing == BodyFraming.Length)
        {
            Header("content-length"u8, contentLength);
        }
    }

    /// <summary>The empty line behind the fields.</summary>
    public void EndOfHead() => Raw("\r\n"u8);

    /// <summary>A chunk's first line; the payload and <see cref="EndOfChunk"/> follow.</summary>
    public void ChunkSize(long size)
    {
        Span<byte> digits = stackalloc byte[16];
        Utf8Formatter.TryFormat(size, digits, out var written, new System.Buffers.StandardFormat('x'));
        Raw(digits[..written]);
        Raw("\r\n"u8);
    }

    public void EndOfChunk() => Raw("\r\n"u8);

    /// <summary>The last chunk without trailers.</summary>
    public void EndOfChunkedBody() => Raw("0\r\n\r\n"u8);

    public void Number(long value)
    {
        if (Overflowed || !Utf8Formatter.TryFormat(value, _destination[Length..], out var written))
        {
            Overflowed = true;
            return;
        }

        Length += written;
    }
}
