// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;

namespace Weft.Proxy.Telemetry;

/// <summary>What every process says of itself, and which build this is.</summary>
internal static class ProcessMetrics
{
    public static void Add(MetricsText text, string version)
    {
        text.Add("istio_build", "gauge", string.Create(CultureInfo.InvariantCulture, $"component=\"proxy\",tag=\"weft-{version}\""), 1);
        using var process = Process.GetCurrentProcess();
        text.Add("process_cpu_seconds_total", "counter", "", process.TotalProcessorTime.TotalSeconds);
        text.Add("process_resident_memory_bytes", "gauge", "", process.WorkingSet64);
        text.Add("process_virtual_memory_bytes", "gauge", "", process.VirtualMemorySize64);
        text.Add(
            "process_start_time_seconds", "gauge", "", new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0);
        text.Add("process_open_fds", "gauge", "", Directory.GetFileSystemEntries("/proc/self/fd").Length);
        text.Add("dotnet_gc_heap_total_allocated_bytes_total", "counter", "", GC.GetTotalAllocatedBytes());
        text.Add("process_threads", "gauge", "", process.Threads.Count);
    }
}
