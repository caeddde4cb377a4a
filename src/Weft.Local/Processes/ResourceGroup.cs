// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Local.Processes;

/// <summary>One container's control group, in every hierarchy.</summary>
/// <param name="folders">By controller; in version 2, which has one hierarchy, the same for each that is handed down there.</param>
internal sealed class ResourceGroup(IReadOnlyDictionary<string, string> folders, bool unified)
{
    private const int PeriodMicroseconds = 100_000;

    /// <summary>A process that writes 0 to each of these belongs to the group.</summary>
    public IReadOnlyList<string> EntryFiles { get; } =
        [.. folders.Values.Distinct(StringComparer.Ordinal).Select(f => Path.Combine(f, "cgroup.procs"))];

    /// <summary>How often the kernel killed something in it for want of memory.</summary>
    public long OutOfMemoryKills => unified ? Field("memory", "memory.events", "oom_kill") : Field("memory", "memory.oom_control", "oom_kill");

    /// <summary>Processor time used, in nanoseconds; null when nobody counts.</summary>
    public long? CpuNanoseconds => unified
        ? (Read("cpu", "cpu.stat").Length > 0 ? Field("cpu", "cpu.stat", "usage_usec") * 1000 : null)
        : Number("cpuacct", "cpuacct.usage");

    /// <summary>Memory that cannot be taken back easily, as Kubernetes counts it; null when nobody counts.</summary>
    public long? MemoryBytes
    {
        get
        {
            var used = unified ? Number("memory", "memory.current") : Number("memory", "memory.usage_in_bytes");
            var idle = unified ? Field("memory", "memory.stat", "inactive_file") : Field("memory", "memory.stat", "total_inactive_file");
            return used is { } bytes ? Math.Max(0, bytes - idle) : null;
        }
    }

    public void Limit(ResourceLimits limits)
    {
        Write("pids", "pids.max", ResourceLimits.Text(ResourceLimits.MaxProcesses));
        if (limits.MemoryBytes is { } memory)
        {
            Write("memory", unified ? "memory.max" : "memory.limit_in_bytes", ResourceLimits.Text(memory));
            if (unified)
            {
                TryWrite("memory", "memory.swap.max", "0");

                // As kubelets ask for: who lacks memory ends whole, not without one of its processes.
                TryWrite("memory", "memory.oom.group", "1");
            }
            else
            {
                TryWrite("memory", "memory.memsw.limit_in_bytes", ResourceLimits.Text(memory));
            }
        }

        if (limits.CpuShares is { } thousandths)
        {
            var shares = Math.Clamp(thousandths * 1024 / 1000, 2, 262_144);
            Write("cpu", unified ? "cpu.weight" : "cpu.shares", ResourceLimits.Text(unified ? 1 + ((shares - 2) * 9999 / 262_142) : shares));
        }

        if (limits.CpuThousandths is { } limit)
        {
            var quota = ResourceLimits.Text(Math.Max(1000, limit * PeriodMicroseconds / 1000));
            Write("cpu", unified ? "cpu.max" : "cpu.cfs_quota_us", unified ? $"{quota} {PeriodMicroseconds}" : quota);
        }
    }

    /// <summary>Removes it; its processes must have ended.</summary>
    public void Remove()
    {
        foreach (var folder in folders.Values.Distinct(StringComparer.Ordinal))
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
                // The last process is still on its way out; the node's own end removes what is left.
            }
        }
    }

    private void Write(string controller, string file, string text)
    {
        if (folders.TryGetValue(controller, out var folder))
        {
            File.WriteAllText(Path.Combine(folder, file), text);
        }
    }

    private void TryWrite(string controller, string file, string text)
    {
        try
        {
            Write(controller, file, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A kernel without swap accounting has no such file, and no swap to limit.
        }
    }

    private long? Number(string controller, string file) =>
        long.TryParse(Read(controller, file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private long Field(string controller, string file, string name)
    {
        foreach (var line in Read(controller, file).Split('\n'))
        {
            if (line.Split(' ') is [var key, var value] && key == name)
            {
                return long.Parse(value, CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }

    private string Read(string controller, string file)
    {
        try
        {
            return folders.TryGetValue(controller, out var folder) ? File.ReadAllText(Path.Combine(folder, file)) : "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
