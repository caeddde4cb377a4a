// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Bench.Figures;
using Weft.Bench.Load;
using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>What a pair adds to latencies at half of the rate that it can serve at most.</summary>
internal sealed class LatencyRow : Row
{
    private const int Connections = 64;

    public override string Name => "latency";

    public override RowResult Run(Lab lab)
    {
        Topology?[] all = [lab.Haproxy.Pair(), lab.Nginx.Pair(), lab.Envoy?.Pair(), lab.Weft.Pair()];
        var pairs = all.OfType<Topology>().ToArray();
        try
        {
            // One rate for all, and at most half for each: a slower pair must not be judged at a rate that it could not hold.
            var rate = Math.Floor(pairs.Min(pair => Saturation(lab, pair)) / 200) * 100;
            var @case = string.Create(CultureInfo.InvariantCulture, $"100 B at {rate:0} requests/s");
            return new RowResult(
                Name,
                "Latency that a mutual TLS pair adds at half of saturation",
                "Half of what the slowest pair serves at most, the same for all, sent on schedule over 64 connections; latencies count from the time that each request was meant to be sent. What is added is the pair's quantile minus that of the same load without a proxy, round by round.",
                Measure.AddedP99,
                "haproxy",
                Figures(lab, @case, pairs, rate),
                [new Goal(@case, "weft", Measure.AddedP99, 1.0, "haproxy")]);
        }
        finally
        {
            Array.ForEach(pairs, pair => pair.Dispose());
        }
    }

    private static double Saturation(Lab lab, Topology pair)
    {
        Progress.Say($"saturation of {pair.Name}");
        pair.WhenListening();
        Wrk.Run(pair, Origin.Small, Connections, 1);
        return Wrk.Run(pair, Origin.Small, Connections, lab.Options.Seconds).PerSecond;
    }

    private static List<Figure> Figures(Lab lab, string @case, Topology[] pairs, double rate)
    {
        var direct = (P50: 0.0, P99: 0.0, P999: 0.0);
        return Interleaved.Measure(lab, @case, [lab.Origin.Direct, .. pairs], (topology, seconds) =>
        {
            var cpu = topology.CpuMicroseconds();
            using var load = new SteadyLoad(topology.Port, Origin.Small, Connections);
            load.Run(rate, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(seconds));
            cpu = topology.CpuMicroseconds() - cpu;
            var own = (P50: Quantile(load, 0.5), P99: Quantile(load, 0.99), P999: Quantile(load, 0.999));
            Sample[] seen = [new(Measure.P50, own.P50), new(Measure.P99, own.P99), new(Measure.P999, own.P999)];
            if (topology == lab.Origin.Direct)
            {
                direct = own;
                return seen;
            }

            return
            [
                new(Measure.AddedP99, own.P99 - direct.P99),
                new(Measure.AddedP50, own.P50 - direct.P50),
                new(Measure.AddedP999, own.P999 - direct.P999),
                .. seen,
                new(Measure.CpuPerRequest, cpu / (rate * (seconds + 0.5))),
            ];
        });
    }

    private static double Quantile(SteadyLoad load, double share) => load.Latencies.Quantile(share) / 1e6;
}
