// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Local.Agent;

/// <summary>
/// Writes a container's output to a file, a line each: time, stream, <c>F</c> (or <c>P</c> for a part of a very long line), text.
/// A full file is kept once more as <c>.1</c>.
/// </summary>
internal sealed class ContainerLog(string file, TimeProvider time, long maxBytes = ContainerLog.DefaultMaxBytes) : IDisposable
{
    public const long DefaultMaxBytes = 10 * 1024 * 1024;

    /// <summary>Longer lines are written in parts.</summary>
    public const int MaxLineBytes = 16 * 1024;

    private readonly Lock _writing = new();
    private FileStream _stream = Open(file);

    /// <summary>Takes what is written: whether it is errors, and the bytes.</summary>
    public delegate void Taker(bool isErrors, ReadOnlySpan<byte> bytes);

    /// <summary>Gets everything as it comes, before it is cut into lines.</summary>
    public Taker? Copy { get; init; }

    /// <summary>Copies a stream into the log until it ends.</summary>
    /// <param name="early">What has been read of it already.</param>
    public async Task PumpAsync(Stream source, string name, ReadOnlyMemory<byte> early)
    {
        var buffer = new byte[MaxLineBytes];
        var length = 0;
        while (true)
        {
            int count;
            try
            {
                count = early.Length > 0 ? Take(ref early, buffer) : await source.ReadAsync(buffer.AsMemory(length));
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                count = 0;
            }

            Copy?.Invoke(name == "stderr", buffer.AsSpan(length, count));
            length += count;
            var start = 0;
            for (int end; (end = buffer.AsSpan(start, length - start).IndexOf((byte)'\n')) >= 0; start += end + 1)
            {
                Write(name, 'F', buffer.AsSpan(start, end));
            }

            buffer.AsSpan(start, length - start).CopyTo(buffer);
            length -= start;
            if (length == buffer.Length || (count == 0 && length > 0))
            {
                Write(name, count == 0 ? 'F' : 'P', buffer.AsSpan(0, length));
                length = 0;
            }

            if (count == 0)
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        lock (_writing)
        {
            _stream.Dispose();
        }
    }

    private static int Take(ref ReadOnlyMemory<byte> early, byte[] buffer)
    {
        var count = early.Length;
        early.CopyTo(buffer);
        early = default;
        return count;
    }

    private static FileStream Open(string path) =>
        new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    private void Write(string name, char tag, ReadOnlySpan<byte> line)
    {
        var head = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffffff}00Z {name} {tag} "));
        lock (_writing)
        {
            if (_stream.Position > maxBytes)
            {
                _stream.Dispose();
                File.Move(file, $"{file}.1", overwrite: true);
                _stream = Open(file);
            }

            // One write a line: a reader that follows the file never sees half of one.
            byte[] whole = [.. head, .. line, (byte)'\n'];
            _stream.Write(whole);
        }
    }
}
