// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Local.Controllers.Scaling;

/// <summary>What processes have used, summed by process namespace: a container is one, whatever it has started.</summary>
internal sealed class ProcessUse
{
    private const double TicksPerSecond = 100;
    private const int PageBytes = 4096;
    private readonly Dictionary<int, string> _namespaceOf = [];
    private readonly Dictionary<string, (double Seconds, double Bytes)> _used = new(StringComparer.Ordinal);

    public static ProcessUse Read(string proc = "/proc")
    {
        var use = new ProcessUse();
        foreach (var folder in Directory.EnumerateDirectories(proc))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                continue;
            }

            try
            {
                use.Add(pid, folder);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is not ours.
            }
        }

        return use;
    }

    public double CpuSecondsOf(int pid) => Of(pid).Seconds;

    public double MemoryOf(int pid) => Of(pid).Bytes;

    private (double Seconds, double Bytes) Of(int pid) =>
        _namespaceOf.TryGetValue(pid, out var space) && _used.TryGetValue(space, out var used) ? used : (0, 0);

    private void Add(int pid, string folder)
    {
        if (new FileInfo(Path.Combine(folder, "ns", "pid")).LinkTarget is not { } space)
        {
            return;
        }

        var stat = File.ReadAllText(Path.Combine(folder, "stat"));
        // The name in brackets may hold blanks and brackets; what follows the last one does not.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        // utime, stime, and those of children that have ended and been waited for.
        var ticks = fields[11..15].Sum(field => double.Parse(field, CultureInfo.InvariantCulture));
        var pages = double.Parse(fields[21], CultureInfo.InvariantCulture);
        var before = _used.GetValueOrDefault(space);
        _used[space] = (before.Seconds + ticks / TicksPerSecond, before.Bytes + pages * PageBytes);
        // A program that only holds a container stands outside; its children are inside.
        _namespaceOf[pid] = new FileInfo(Path.Combine(folder, "ns", "pid_for_children")).LinkTarget ?? space;
    }
}
