// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Figures;
using Weft.Bench.Peers;
using Weft.Bench.Rows;

namespace Weft.Bench;

/// <summary>All rows, in the order in which they are measured and shown.</summary>
internal static class Suite
{
    /// <summary>Left out of <c>all</c>: it compares weft-proxy with itself.</summary>
    public const string CompareIo = "compare-io";

    private static readonly Row[] _rows =
    [
        new HopRow(),
        new PairRow(),
        new TcpRow(),
        new GrpcRow(),
        new LatencyRow(),
        new MemoryRow(),
        new StartRow(),
        new AllocationRow(),
        new RoutesRow(),
        new ListenersRow(),
        new EndpointsRow(),
        new ConnectionsRow(),
        new MicroRow(),
        new ChangeRow(),
        new GeneratorRow(),
        new CompareIoRow(),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. _rows.Select(row => row.Name)];

    /// <summary>Measures the rows that were asked for, prints each as it is done, and writes all to files.</summary>
    public static int Run(string root, BenchOptions options, TextWriter output, TimeProvider clock)
    {
        using var lab = new Lab(root, options);
        var machine = Machine.Look(root, options, clock);
        output.Write($"{machine.Processor}, {machine.Cores} cores, {machine.MemoryGigabytes} GB, Linux {machine.Kernel}, {machine.System}; commit {machine.Commit}\n\n");
        var results = new List<RowResult>();
        var told = 0;
        foreach (var row in _rows.Where(row => options.Rows.Contains(row.Name)))
        {
            try
            {
                var result = row.Run(lab);
                results.Add(result);
                output.Write(ResultText.Of(result));
            }
            catch (BenchException failure)
            {
                // The other rows are worth their minutes all the same.
                Progress.Clear();
                lab.Problems.Add($"{row.Name}: {failure.Message}");
            }

            foreach (var problem in lab.Problems.Skip(told))
            {
                output.Write($"not measured: {problem}\n\n");
            }

            told = lab.Problems.Count;
            output.Flush();
        }

        var folder = options.Out ?? Path.Combine(root, options is { All: true, Quick: false } ? "docs/benchmarks/latest" : "artifacts/bench");
        ResultFolder.Write(folder, machine, results);
        output.Write($"{Path.GetRelativePath(Directory.GetCurrentDirectory(), folder)}: README.md, results.json and charts\n");
        return lab.Problems.Count == 0 ? 0 : 1;
    }
}
