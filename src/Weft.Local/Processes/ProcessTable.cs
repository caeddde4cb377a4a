// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Local.Processes;

/// <summary>Reads what the kernel says about processes.</summary>
internal static class ProcessTable
{
    /// <summary>A child of the process, or 0.</summary>
    public static int FirstChildOf(int processId)
    {
        var text = TryRead($"/proc/{processId}/task/{processId}/children");
        var first = text?.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;
    }

    /// <summary>True if the process catches the signal, or has blocked it to read it from a file.</summary>
    public static bool Handles(int processId, int signal)
    {
        var bit = 1UL << (signal - 1);
        foreach (var line in (TryRead($"/proc/{processId}/status") ?? "").Split('\n'))
        {
            if ((line.StartsWith("SigCgt:", StringComparison.Ordinal) || line.StartsWith("SigBlk:", StringComparison.Ordinal))
                && ulong.TryParse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var mask)
                && (mask & bit) != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Which process namespace it is in; empty if it is gone.</summary>
    public static string NamespaceOf(int processId)
    {
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/ns/pid")).LinkTarget ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>By process namespace: processor time in nanoseconds and memory in bytes of all its processes.</summary>
    public static IReadOnlyDictionary<string, (long Cpu, long Memory)> Usage()
    {
        const long NanosecondsPerTick = 10_000_000;
        var all = new Dictionary<string, (long Cpu, long Memory)>(StringComparer.Ordinal);
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                || TryRead($"/proc/{id}/stat") is not { } text)
            {
                continue;
            }

            // After the name, which may hold anything: 11 and 12 are its own time, 13 and 14 its dead children's, 21 its pages.
            var words = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            long Word(int index) => long.TryParse(words[index], CultureInfo.InvariantCulture, out var number) ? number : 0;
            var (cpu, memory) = all.GetValueOrDefault(NamespaceOf(id));
            all[NamespaceOf(id)] = (
                cpu + ((Word(11) + Word(12) + Word(13) + Word(14)) * NanosecondsPerTick), memory + (Word(21) * Environment.SystemPageSize));
        }

        return all;
    }

    private static string? TryRead(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
