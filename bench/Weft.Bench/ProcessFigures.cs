// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Bench;

/// <summary>CPU time and resident memory of processes, read from /proc.</summary>
internal static class ProcessFigures
{
    private const double MicrosecondsPerTick = 1_000_000.0 / 100;

    /// <summary>User and system time of a process and of its children that are alive, in microseconds.</summary>
    public static double CpuMicroseconds(int pid) =>
        Tree(pid).Sum(member => Fields(member) is { Length: > 14 } fields
            ? (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) * MicrosecondsPerTick
            : 0);

    /// <summary>Resident memory of a process and its children, in MB of 10^6 bytes.</summary>
    public static double ResidentMegabytes(int pid) =>
        Tree(pid).Sum(member => Fields(member) is { Length: > 21 } fields
            ? double.Parse(fields[21], CultureInfo.InvariantCulture) * Environment.SystemPageSize / 1e6
            : 0);

    private static IEnumerable<int> Tree(int pid)
    {
        yield return pid;
        foreach (var entry in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(entry), CultureInfo.InvariantCulture, out var other)
                && Fields(other) is { Length: > 2 } fields
                && fields[1] == pid.ToString(CultureInfo.InvariantCulture))
            {
                yield return other;
            }
        }
    }

    /// <summary>The fields of /proc/PID/stat after the program's name: state, parent, ...; null when the process is gone.</summary>
    private static string[]? Fields(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
