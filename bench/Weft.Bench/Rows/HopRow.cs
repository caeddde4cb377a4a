// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Figures;
using Weft.Bench.Load;
using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>HTTP/1.1 without TLS through one proxy.</summary>
internal sealed class HopRow : Row
{
    public override string Name => "hop";

    public override RowResult Run(Lab lab)
    {
        Topology?[] all = [lab.Haproxy.Hop(), lab.Nginx.Hop(), lab.Envoy?.Hop(), lab.Weft.Hop()];
        var topologies = all.OfType<Topology>().ToArray();
        try
        {
            return new RowResult(
                Name,
                "HTTP/1.1 plain, one hop: CPU per request",
                "wrk with 32 connections; ten routes by prefix; weft and haproxy count requests as they always do, nginx counts nothing.",
                Measure.CpuPerRequest,
                "haproxy",
                [.. HttpLoad.Figures(lab, topologies)],
                [new Goal(HttpLoad.Small, "weft", Measure.CpuPerRequest, 0.7, "haproxy"), new Goal(HttpLoad.Large, "weft", Measure.CpuPerRequest, 0.7, "haproxy")]);
        }
        finally
        {
            Array.ForEach(topologies, topology => topology.Dispose());
        }
    }
}

/// <summary>What rows of plain requests share.</summary>
internal static class HttpLoad
{
    public const int Connections = 32;
    public const string Small = "100 B";
    public const string Large = "10 KB";

    /// <summary>CPU per request, rate, latencies and memory under wrk, for a small and a large answer.</summary>
    public static IEnumerable<Figure> Figures(Lab lab, IReadOnlyList<Topology> topologies) =>
        new[] { (Small, Origin.Small), (Large, Origin.Large) }.SelectMany(one =>
            Interleaved.Measure(lab, one.Item1, topologies, (topology, seconds) => Once(topology, one.Item2, Connections, seconds)));

    /// <summary>One round of wrk.</summary>
    public static Sample[] Once(Topology topology, string path, int connections, int seconds, params string[] headers)
    {
        var cpu = topology.CpuMicroseconds();
        var report = Wrk.Run(topology, path, connections, seconds, headers);
        cpu = topology.CpuMicroseconds() - cpu;
        return
        [
            new Sample(Measure.CpuPerRequest, cpu / report.Requests),
            new Sample(Measure.Rate, report.PerSecond),
            new Sample(Measure.P50, report.P50),
            new Sample(Measure.P99, report.P99),
            new Sample(Measure.Memory, topology.LargestMegabytes()),
        ];
    }
}
