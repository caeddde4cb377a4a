// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Local.Serving;

/// <summary>Reads a container's log files.</summary>
internal static class LogReader
{
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(100);

    /// <summary>The file of the run that is wanted; null if there was none.</summary>
    public static string? FileOf(string folder, bool previous)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        var runs = Directory.GetFiles(folder, "*.log")
            .Select(f => (File: f, Number: int.TryParse(Path.GetFileNameWithoutExtension(f), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1))
            .Where(f => f.Number >= 0)
            .OrderByDescending(f => f.Number)
            .Select(f => f.File);
        return runs.Skip(previous ? 1 : 0).FirstOrDefault();
    }

    /// <summary>Writes the lines; with follow until <paramref name="ended"/> says that no more will come.</summary>
    public static async Task CopyAsync(
        string file, LogOptions options, Func<ReadOnlyMemory<byte>, Task> write, Func<bool> ended, TimeProvider time, CancellationToken ct)
    {
        var sent = 0L;
        var position = 0L;
        var old = 0L;
        var wanted = Select([.. ReadLines($"{file}.1", ref old), .. ReadLines(file, ref position)], options);
        while (true)
        {
            // Asked first: a line written after the question is found by the next look.
            var last = !options.Follow || ended();
            foreach (var line in wanted)
            {
                var bytes = Format(line, options);
                if (options.LimitBytes is { } limit && sent + bytes.Length > limit)
                {
                    await write(bytes.AsMemory(0, (int)(limit - sent)));
                    return;
                }

                sent += bytes.Length;
                await write(bytes);
            }

            if (last && wanted.Count == 0 || !options.Follow)
            {
                return;
            }

            if (!last)
            {
                await Task.Delay(_look, time, ct);
            }

            if (new FileInfo(file) is { Exists: true } info && info.Length < position)
            {
                position = 0; // the file was full and a new one begun
            }

            wanted = ReadLines(file, ref position);
        }
    }

    private static List<string> Select(List<string> lines, LogOptions options)
    {
        var since = options.Since?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff00Z", CultureInfo.InvariantCulture);
        var selected = since is null ? lines : lines.FindAll(l => string.CompareOrdinal(l, since) >= 0);
        return options.TailLines is { } tail && tail < selected.Count ? selected[^tail..] : selected;
    }

    private static byte[] Format(string line, LogOptions options)
    {
        // time stream tag text
        var afterTime = line.IndexOf(' ', StringComparison.Ordinal);
        var afterStream = line.IndexOf(' ', afterTime + 1);
        var partial = line[afterStream + 1] == 'P';
        var text = line[(afterStream + 3)..];
        var stamp = options.Timestamps ? $"{line[..afterTime]} " : "";
        return Encoding.UTF8.GetBytes(partial ? $"{stamp}{text}" : $"{stamp}{text}\n");
    }

    private static List<string> ReadLines(string file, ref long position)
    {
        var lines = new List<string>();
        if (!File.Exists(file))
        {
            return lines;
        }

        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = Math.Min(position, stream.Length);
        var bytes = new byte[stream.Length - stream.Position];
        var count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        var whole = bytes.AsSpan(0, count).LastIndexOf((byte)'\n') + 1;
        position = stream.Position - count + whole;
        foreach (var range in bytes.AsSpan(0, whole).Split((byte)'\n'))
        {
            var line = bytes.AsSpan(0, whole)[range];
            if (line.Length > 0)
            {
                lines.Add(Encoding.UTF8.GetString(line));
            }
        }

        return lines;
    }
}

/// <summary>What part of a container's log is wanted, and how.</summary>
internal sealed record LogOptions(bool Follow, bool Previous, int? TailLines, bool Timestamps, DateTimeOffset? Since, long? LimitBytes);
