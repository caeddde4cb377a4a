// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Figures;
using Weft.Bench.Load;
using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>weft-proxy on epoll beside weft-proxy on io_uring.</summary>
internal sealed class CompareIoRow : Row
{
    private const string Epoll = "epoll";
    private const string Uring = "uring";

    public override string Name => Suite.CompareIo;

    public override RowResult Run(Lab lab)
    {
        Topology[] hops = [lab.Weft.Hop(Epoll, Epoll), lab.Weft.Hop(Uring, Uring)];
        Topology[] pairs = [lab.Weft.Pair(Epoll, Epoll), lab.Weft.Pair(Uring, Uring)];
        try
        {
            List<Figure> figures = [];
            foreach (var connections in (int[])[1, 32, 256])
            {
                figures.AddRange(Interleaved.Measure(
                    lab, $"one hop, {connections} connections, 100 B", hops, (topology, seconds) => HttpLoad.Once(topology, Origin.Small, connections, seconds)));
            }

            foreach (var (name, path) in new[] { ("100 B", Origin.Small), ("10 KB", Origin.Large) })
            {
                figures.AddRange(Interleaved.Measure(
                    lab, $"mutual TLS pair, 32 connections, {name}", pairs, (topology, seconds) => HttpLoad.Once(topology, path, HttpLoad.Connections, seconds)));
            }

            return new RowResult(Name, "weft-proxy on io_uring beside epoll: CPU per request", "wrk; the same plans, one loop each.", Measure.CpuPerRequest, Epoll, figures, []);
        }
        finally
        {
            Array.ForEach([.. hops, .. pairs], topology => topology.Dispose());
        }
    }
}

/// <summary>The load generator that keeps a rate, beside wrk: what it can send at most, and what it costs.</summary>
internal sealed class GeneratorRow : Row
{
    private const string Case = "64 connections to the origin, 100 B";
    private const int Rounds = 3;
    private const int Connections = 64;

    public override string Name => "generator";

    public override RowResult Run(Lab lab)
    {
        var wrk = new Topology("wrk", lab.Origin.Port);
        var own = new Topology("steady load", lab.Origin.Port);
        var figures = Interleaved.Measure(lab, Case, [wrk, own], (generator, seconds) => generator == wrk ? OnceWrk(wrk, seconds) : OnceOwn(own, seconds), Math.Min(Rounds, lab.Options.Rounds));
        return new RowResult(
            Name,
            "The generator of fixed rates beside wrk, both at saturation",
            "CPU is the generator's own. The two must agree on the rate: the figures of the row 'latency' come from this one.",
            Measure.CpuPerRequest,
            "wrk",
            figures,
            []);
    }

    private static IReadOnlyList<Sample> OnceWrk(Topology origin, int seconds)
    {
        var cpu = ProcessFigures.ChildrenCpuMicroseconds();
        var report = Wrk.Run(origin, Origin.Small, Connections, seconds);
        cpu = ProcessFigures.ChildrenCpuMicroseconds() - cpu;
        return
        [
            new(Measure.CpuPerRequest, cpu / report.Requests), new(Measure.Rate, report.PerSecond), new(Measure.P50, report.P50), new(Measure.P99, report.P99),
        ];
    }

    private static IReadOnlyList<Sample> OnceOwn(Topology origin, int seconds)
    {
        using var load = new SteadyLoad(origin.Port, Origin.Small, Connections);
        var cpu = ProcessFigures.OwnThreadCpuMicroseconds();
        var rate = load.Saturate(TimeSpan.FromSeconds(seconds));
        cpu = ProcessFigures.OwnThreadCpuMicroseconds() - cpu;
        return
        [
            new(Measure.CpuPerRequest, cpu / load.Latencies.Count),
            new(Measure.Rate, rate),
            new(Measure.P50, load.Latencies.Quantile(0.5) / 1e6),
            new(Measure.P99, load.Latencies.Quantile(0.99) / 1e6),
        ];
    }
}
