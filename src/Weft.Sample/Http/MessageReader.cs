// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Weft.Sample.Http;

/// <summary>Reads HTTP/1.1 messages from a connection, one after the other; keeps what came too early for the next.</summary>
/// <remarks>It is strict about what matters to a test peer: sizes are bounded and two lengths are refused.</remarks>
internal sealed class MessageReader(Socket socket)
{
    public const int MaxHeadBytes = 64 * 1024;
    public const int MaxBodyBytes = 64 * 1024 * 1024;

    private static readonly byte[] _continue = "HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray();

    private byte[] _buffer = new byte[8192];
    private int _start;
    private int _end;

    /// <summary>The next request, or null if the peer has closed before its first byte.</summary>
    public async ValueTask<Message?> ReadRequestAsync(CancellationToken ct)
    {
        var length = await ReadHeadAsync(ct);
        if (length < 0)
        {
            return null;
        }

        var head = ParseHead(length);
        var parts = head.First.Split(' ');
        if (parts.Length != 3 || !parts[2].StartsWith("HTTP/1.", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"'{head.First}' is not a request line.");
        }

        if (string.Equals(head.Find("expect"), "100-continue", StringComparison.OrdinalIgnoreCase))
        {
            await socket.SendAsync(_continue, ct);
        }

        var body = await ReadBodyAsync(head, untilClose: false, ct);
        return new Message { Method = parts[0], Target = parts[1], Headers = head.Headers, Body = body, KeepAlive = head.KeepsAlive(parts[2]) };
    }

    /// <summary>The answer to a request; interim answers are passed over.</summary>
    public async ValueTask<Message> ReadResponseAsync(bool toHead, CancellationToken ct)
    {
        while (true)
        {
            var length = await ReadHeadAsync(ct);
            if (length < 0)
            {
                throw new IOException("The server closed the connection without an answer.");
            }

            var head = ParseHead(length);
            var parts = head.First.Split(' ', 3);
            if (parts.Length < 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status))
            {
                throw new InvalidDataException($"'{head.First}' is not a status line.");
            }

            if (status < 200)
            {
                continue;
            }

            var hasBody = !toHead && status is not (204 or 304);
            var untilClose = hasBody && head.Find("content-length") is null && head.Find("transfer-encoding") is null;
            var body = hasBody ? await ReadBodyAsync(head, untilClose, ct) : [];
            return new Message { Status = status, Headers = head.Headers, Body = body, KeepAlive = !untilClose && head.KeepsAlive(parts[0]) };
        }
    }

    private async ValueTask<int> ReadHeadAsync(CancellationToken ct)
    {
        var searched = 0;
        while (true)
        {
            var at = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf("\r\n\r\n"u8);
            if (at >= 0)
            {
                return searched + at + 4;
            }

            searched = Math.Max(0, _end - _start - 3);
            if (_end - _start >= MaxHeadBytes)
            {
                throw new InvalidDataException($"The head is longer than {MaxHeadBytes} bytes.");
            }

            if (!await FillAsync(ct))
            {
                return _end == _start ? -1 : throw new IOException("The connection ended within a head.");
            }
        }
    }

    private Head ParseHead(int length)
    {
        var text = Encoding.Latin1.GetString(_buffer, _start, length - 4);
        _start += length;
        var lines = text.Split("\r\n");
        var headers = new List<KeyValuePair<string, string>>(lines.Length);
        for (var i = 1; i < lines.Length; i++)
        {
            var colon = lines[i].IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw new InvalidDataException($"'{lines[i]}' is not a header line.");
            }

            headers.Add(new(lines[i][..colon], lines[i][(colon + 1)..].Trim()));
        }

        return new Head(lines[0], headers);
    }

    private async ValueTask<byte[]> ReadBodyAsync(Head head, bool untilClose, CancellationToken ct)
    {
        var coding = head.Find("transfer-encoding");
        var length = head.Find("content-length");
        if (coding is not null && length is not null)
        {
            throw new InvalidDataException("A message has a length and a transfer coding.");
        }

        if (coding is not null)
        {
            return await ReadChunksAsync(ct);
        }

        if (untilClose)
        {
            while (await FillAsync(ct))
            {
            }

            return Take(_end - _start);
        }

        if (length is null)
        {
            return [];
        }

        return int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes <= MaxBodyBytes
            ? await ReadExactlyAsync(bytes, ct)
            : throw new InvalidDataException($"The length '{length}' is not a number up to {MaxBodyBytes}.");
    }

    private async ValueTask<byte[]> ReadChunksAsync(CancellationToken ct)
    {
        using var body = new MemoryStream();
        while (true)
        {
            var line = await ReadLineAsync(ct);
            var end = line.IndexOf(';', StringComparison.Ordinal);
            if (!int.TryParse((end < 0 ? line : line[..end]).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size)
                || size < 0 || body.Length + size > MaxBodyBytes)
            {
                throw new InvalidDataException($"'{line}' is not the size of a chunk, or the body is longer than {MaxBodyBytes} bytes.");
            }

            if (size == 0)
            {
                while ((await ReadLineAsync(ct)).Length > 0)
                {
                }

                return body.ToArray();
            }

            await body.WriteAsync(await ReadExactlyAsync(size, ct), ct);
            await ReadLineAsync(ct);
        }
    }

    private async ValueTask<string> ReadLineAsync(CancellationToken ct)
    {
        while (true)
        {
            var at = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (at >= 0)
            {
                var line = Encoding.Latin1.GetString(_buffer, _start, at);
                _start += at + 2;
                return line;
            }

            if (_end - _start >= MaxHeadBytes || !await FillAsync(ct))
            {
                throw new IOException("The connection ended within a line, or the line has no end.");
            }
        }
    }

    private async ValueTask<byte[]> ReadExactlyAsync(int count, CancellationToken ct)
    {
        var body = new byte[count];
        var have = Math.Min(count, _end - _start);
        _buffer.AsSpan(_start, have).CopyTo(body);
        _start += have;
        while (have < count)
        {
            var got = await socket.ReceiveAsync(body.AsMemory(have), ct);
            have += got > 0 ? got : throw new IOException("The connection ended within a body.");
        }

        return body;
    }

    private byte[] Take(int count)
    {
        var bytes = _buffer.AsSpan(_start, count).ToArray();
        _start += count;
        return bytes;
    }

    private async ValueTask<bool> FillAsync(CancellationToken ct)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= MaxBodyBytes)
            {
                throw new InvalidDataException($"The body is longer than {MaxBodyBytes} bytes.");
            }

            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var got = await socket.ReceiveAsync(_buffer.AsMemory(_end), ct);
        _end += got;
        return got > 0;
    }

    private sealed record Head(string First, List<KeyValuePair<string, string>> Headers)
    {
        public string? Find(string name)
        {
            string? found = null;
            foreach (var (key, value) in Headers)
            {
                if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                {
                    found = found is null || !name.Equals("content-length", StringComparison.Ordinal)
                        ? value
                        : throw new InvalidDataException("A message has two lengths.");
                }
            }

            return found;
        }

        public bool KeepsAlive(string version)
        {
            var connection = Find("connection") ?? "";
            return version == "HTTP/1.0"
                ? connection.Contains("keep-alive", StringComparison.OrdinalIgnoreCase)
                : !connection.Contains("close", StringComparison.OrdinalIgnoreCase);
        }
    }
}
