// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Bench.Peers;

/// <summary>CPU time and resident memory of processes, read from /proc.</summary>
internal static class ProcessFigures
{
    private const double MicrosecondsPerTick = 1e6 / 100;

    /// <summary>
    /// User and system time of a process and its living children, in microseconds, from the scheduler's own count of nanoseconds (the
    /// clock ticks of /proc/PID/stat are 10 ms, which is too coarse for short rounds).
    /// </summary>
    public static double CpuMicroseconds(int pid)
    {
        var nanoseconds = 0.0;
        foreach (var member in Tree(pid))
        {
            foreach (var thread in Threads(member))
            {
                nanoseconds += Read($"{thread}/schedstat") is { } text ? double.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture) : 0;
            }
        }

        return nanoseconds / 1000;
    }

    /// <summary>Resident memory of a process and its children, in MB of 10^6 bytes; pages that they share count once for each.</summary>
    public static double ResidentMegabytes(int pid) =>
        Tree(pid).Sum(member => Fields(member) is { Length: > 21 } fields
            ? double.Parse(fields[21], CultureInfo.InvariantCulture) * Environment.SystemPageSize / 1e6
            : 0);

    /// <summary>Of the calling thread.</summary>
    public static double OwnThreadCpuMicroseconds() =>
        double.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1000;

    /// <summary>Of children of this process that have ended, in steps of the clock tick.</summary>
    public static double ChildrenCpuMicroseconds() =>
        Fields(Environment.ProcessId) is { Length: > 14 } fields
            ? (double.Parse(fields[13], CultureInfo.InvariantCulture) + double.Parse(fields[14], CultureInfo.InvariantCulture)) * MicrosecondsPerTick
            : 0;

    private static IEnumerable<int> Tree(int pid)
    {
        yield return pid;
        var children = Read($"/proc/{Text(pid)}/task/{Text(pid)}/children") ?? "";
        foreach (var child in children.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            foreach (var member in Tree(int.Parse(child, CultureInfo.InvariantCulture)))
            {
                yield return member;
            }
        }
    }

    private static string[] Threads(int pid)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{Text(pid)}/task");
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>The fields of /proc/PID/stat after the program's name: state, parent, ...; null when the process is gone.</summary>
    private static string[]? Fields(int pid) =>
        Read($"/proc/{Text(pid)}/stat") is { } text ? text[(text.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static string? Read(string file)
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

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
