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

    /// <summary>Which namespace of this type (<c>pid</c>, <c>mnt</c>) it is in; empty if it is gone.</summary>
    public static string NamespaceOf(int processId, string type)
    {
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/ns/{type}")).LinkTarget ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>The processes in a namespace, as <see cref="NamespaceOf"/> names it.</summary>
    public static IReadOnlyList<int> In(string type, string name) => [.. Ids().Where(id => NamespaceOf(id, type) == name)];

    /// <summary>By mount namespace, which every container has of its own: processor time in nanoseconds and memory in bytes of all its processes.</summary>
    public static IReadOnlyDictionary<string, (long Cpu, long Memory)> Usage()
    {
        const long NanosecondsPerTick = 10_000_000;
        var all = new Dictionary<string, (long Cpu, long Memory)>(StringComparer.Ordinal);
        foreach (var id in Ids())
        {
            if (TryRead($"/proc/{id}/stat") is not { } text)
            {
                continue;
            }

            // After the name, which may hold anything: 11 and 12 are its own time, 13 and 14 its dead children's, 21 its pages.
            var words = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            long Word(int index) => long.TryParse(words[index], CultureInfo.InvariantCulture, out var number) ? number : 0;
            var mounts = NamespaceOf(id, "mnt");
            var (cpu, memory) = all.GetValueOrDefault(mounts);
            all[mounts] = (
                cpu + ((Word(11) + Word(12) + Word(13) + Word(14)) * NanosecondsPerTick), memory + (Word(21) * Environment.SystemPageSize));
        }

        return all;
    }

    private static IEnumerable<int> Ids() => Directory.GetDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).Where(id => id != 0);

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
