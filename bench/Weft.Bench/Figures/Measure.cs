// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench.Figures;

/// <summary>What is measured and in which unit; less is better unless <paramref name="MoreIsBetter"/>.</summary>
internal sealed record Measure(string Name, string Unit, int Digits, bool MoreIsBetter = false)
{
    public static Measure CpuPerRequest { get; } = new("CPU", "us/request", 1);

    public static Measure CpuPerConnection { get; } = new("CPU", "us/connection", 0);

    public static Measure CpuPerMegabyte { get; } = new("CPU", "us/MB", 0);

    public static Measure Rate { get; } = new("rate", "1/s", 0, MoreIsBetter: true);

    public static Measure Throughput { get; } = new("throughput", "MB/s", 0, MoreIsBetter: true);

    public static Measure CpuPerCall { get; } = new("CPU", "us/call", 1);

    public static Measure Mean { get; } = new("mean", "ms", 2);

    public static Measure P50 { get; } = new("p50", "ms", 3);

    public static Measure P99 { get; } = new("p99", "ms", 3);

    public static Measure P999 { get; } = new("p99.9", "ms", 3);

    public static Measure AddedP50 { get; } = new("added p50", "ms", 3);

    public static Measure AddedP99 { get; } = new("added p99", "ms", 3);

    public static Measure AddedP999 { get; } = new("added p99.9", "ms", 3);

    public static Measure Memory { get; } = new("memory", "MB", 1);

    public static Measure MemoryPerConnection { get; } = new("memory", "KiB/connection", 2);

    public static Measure StartTime { get; } = new("start to first byte", "ms", 1);

    public static Measure ChangeTime { get; } = new("time", "ms/change", 1);

    public static Measure PartsMade { get; } = new("parts made", "1/change", 0);

    public static Measure Allocated { get; } = new("allocated", "bytes/request", 2);

    public static Measure Nanoseconds { get; } = new("time", "ns/op", 0);

    public static Measure BytesPerOperation { get; } = new("input", "bytes/op", 0);

    public static Measure AllocatedPerOperation { get; } = new("allocated", "bytes/op", 0);

    /// <summary>Name and unit, as a table's heading.</summary>
    public string Heading => $"{Name} {Unit}";
}
