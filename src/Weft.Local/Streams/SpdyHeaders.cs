// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Weft.Local.Streams;

/// <summary>
/// The header blocks of a SPDY/3.1 connection: pairs of text, compressed with zlib and a dictionary that both sides know. One of
/// these serves one connection, as the compression goes on from block to block.
/// </summary>
internal sealed class SpdyHeaders : IDisposable
{
    /// <summary>Longer blocks, before or after decompression, are refused.</summary>
    public const int MaxBlockBytes = 16 * 1024;
    public const int MaxPairs = 64;

    private const int ZlibHeadBytes = 2;
    private const int DictionaryIdBytes = 4;
    private const int MaxStoredBytes = 0xffff;

    private readonly MemoryStream _compressed = new();
    private readonly DeflateStream _plain;
    private bool _reading;
    private bool _writing;

    public SpdyHeaders()
    {
        // .NET's inflater takes no dictionary. A block of it, stored as it is, in front of the data has the same effect.
        Append(Stored(Dictionary, []));
        _plain = new DeflateStream(_compressed, CompressionMode.Decompress);
    }

    /// <summary>What compression begins with: the names and values that HTTP used most when SPDY was made.</summary>
    internal static byte[] Dictionary { get; } = MakeDictionary();

    /// <summary>Names in lower case.</summary>
    public IReadOnlyDictionary<string, string> Decode(ReadOnlySpan<byte> block)
    {
        if (block.Length > MaxBlockBytes)
        {
            throw new FormatException($"A SPDY header block has more than {MaxBlockBytes} bytes.");
        }

        if (!_reading)
        {
            block = Begin(block);
        }

        Append(block);
        var left = MaxBlockBytes;
        var pairs = ReadNumber(ref left);
        if (pairs > MaxPairs)
        {
            throw new FormatException($"A SPDY header block has more than {MaxPairs} pairs.");
        }

        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < pairs; i++)
        {
            var name = ReadText(ref left);
            headers[name.ToLowerInvariant()] = ReadText(ref left);
        }

        return headers;
    }

    /// <summary>A block, not really compressed: what this side says is empty or short.</summary>
    public byte[] Encode(IReadOnlyDictionary<string, string> headers)
    {
        using var plain = new MemoryStream();
        WriteNumber(plain, headers.Count);
        foreach (var (name, value) in headers)
        {
            foreach (var text in (string[])[name, value])
            {
                var bytes = Encoding.UTF8.GetBytes(text);
                WriteNumber(plain, bytes.Length);
                plain.Write(bytes);
            }
        }

        byte[] begin = _writing ? [] : [0x78, 0x01];
        _writing = true;
        return Stored(plain.ToArray(), begin);
    }

    public void Dispose()
    {
        _plain.Dispose();
        _compressed.Dispose();
    }

    private ReadOnlySpan<byte> Begin(ReadOnlySpan<byte> block)
    {
        if (block.Length < ZlibHeadBytes)
        {
            throw new FormatException("A SPDY header block is no zlib stream.");
        }

        _reading = true;
        var hasDictionary = (block[1] & 0x20) != 0;
        Skip(Dictionary.Length);
        return block[(hasDictionary ? ZlibHeadBytes + DictionaryIdBytes : ZlibHeadBytes)..];
    }

    /// <summary>Puts bytes behind those that the inflater has not read yet.</summary>
    private void Append(ReadOnlySpan<byte> bytes)
    {
        var unread = _compressed.ToArray().AsSpan((int)_compressed.Position);
        _compressed.SetLength(0);
        _compressed.Write(unread);
        _compressed.Write(bytes);
        _compressed.Position = 0;
    }

    private void Skip(int count)
    {
        Span<byte> bytes = stackalloc byte[256];
        while (count > 0)
        {
            var part = bytes[..Math.Min(count, bytes.Length)];
            Fill(part);
            count -= part.Length;
        }
    }

    private int ReadNumber(ref int left)
    {
        Span<byte> bytes = stackalloc byte[4];
        Fill(bytes);
        var number = BinaryPrimitives.ReadInt32BigEndian(bytes);
        left -= 4;
        return number >= 0 && left >= 0 ? number : throw new FormatException("A SPDY header block has a number that is too large.");
    }

    private string ReadText(ref int left)
    {
        var length = ReadNumber(ref left);
        left -= length;
        if (left < 0)
        {
            throw new FormatException($"A SPDY header block holds more than {MaxBlockBytes} bytes.");
        }

        var bytes = new byte[length];
        Fill(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private void Fill(Span<byte> bytes)
    {
        try
        {
            if (_plain.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            {
                throw new FormatException("A SPDY header block ends too early.");
            }
        }
        catch (InvalidDataException e)
        {
            throw new FormatException($"A SPDY header block cannot be decompressed: {e.Message}", e);
        }
    }

    private static byte[] Stored(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> begin)
    {
        if (bytes.Length > MaxStoredBytes)
        {
            throw new ArgumentException($"A stored block holds at most {MaxStoredBytes} bytes.", nameof(bytes));
        }

        Span<byte> head = stackalloc byte[5];
        head[0] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(head[1..], (ushort)bytes.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(head[3..], (ushort)~bytes.Length);

        // The empty block behind it tells readers that all of the first may be handed out now (zlib's "sync flush").
        return [.. begin, .. head, .. bytes, 0, 0, 0, 0xff, 0xff];
    }

    private static void WriteNumber(Stream stream, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        stream.Write(bytes);
    }

    private static byte[] MakeDictionary()
    {
        const string Words =
            "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
            + "authorization cache-control connection content-base content-encoding content-language content-length content-location "
            + "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match "
            + "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range "
            + "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get "
            + "status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin";
        const string Rest =
            "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
            + "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
            + "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
            + "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
            + "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public"
            + "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
        using var bytes = new MemoryStream();
        foreach (var word in Words.Split(' '))
        {
            var text = Encoding.ASCII.GetBytes(word.Replace('_', ' '));
            WriteNumber(bytes, text.Length);
            bytes.Write(text);
        }

        bytes.Write(Encoding.ASCII.GetBytes(Rest));
        return bytes.ToArray();
    }
}
