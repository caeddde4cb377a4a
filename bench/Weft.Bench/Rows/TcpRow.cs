// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Figures;
using Weft.Bench.Load;
using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>Bytes through two proxies with mutual TLS between them: long transfers, and connections that carry one request.</summary>
internal sealed class TcpRow : Row
{
    private const string Bulk = "10 MB transfers";
    private const string Short = "one request a connection";
    private const int BulkConnections = 4;
    private const int ShortConnections = 16;

    public override string Name => "tcp";

    public override RowResult Run(Lab lab)
    {
        Topology?[] all = [lab.Haproxy.TcpPair(), lab.Nginx.TcpPair(), lab.Envoy?.TcpPair(), lab.Weft.TcpPair()];
        var topologies = all.OfType<Topology>().ToArray();
        try
        {
            var figures = Interleaved.Measure(lab, Bulk, topologies, OnceBulk)
                .Concat(Interleaved.Measure(lab, Short, topologies, OnceShort));
            return new RowResult(
                Name,
                "L4 mutual TLS pair: CPU per megabyte and per connection of both",
                "wrk as the client of nginx behind the pair; in the second case every request opens a connection, so each costs a full handshake with two certificates.",
                Measure.CpuPerMegabyte,
                "haproxy",
                [.. figures],
                [new Goal(Bulk, "weft", Measure.CpuPerMegabyte, 0.75, "haproxy"), new Goal(Short, "weft", Measure.CpuPerConnection, 0.75, "haproxy")]);
        }
        finally
        {
            Array.ForEach(topologies, topology => topology.Dispose());
        }
    }

    private static IReadOnlyList<Sample> OnceBulk(Topology topology, int seconds)
    {
        var cpu = topology.CpuMicroseconds();
        var report = Wrk.Run(topology, Origin.Bulk, BulkConnections, seconds);
        cpu = topology.CpuMicroseconds() - cpu;
        return
        [
            new Sample(Measure.CpuPerMegabyte, cpu / report.Megabytes),
            new Sample(Measure.Throughput, report.Megabytes / seconds),
            new Sample(Measure.Memory, topology.LargestMegabytes()),
        ];
    }

    private static IReadOnlyList<Sample> OnceShort(Topology topology, int seconds)
    {
        var cpu = topology.CpuMicroseconds();
        var report = Wrk.Run(topology, Origin.Small, ShortConnections, seconds, "Connection: close");
        cpu = topology.CpuMicroseconds() - cpu;
        return
        [
            new Sample(Measure.CpuPerConnection, cpu / report.Requests),
            new Sample(Measure.Rate, report.PerSecond),
            new Sample(Measure.P50, report.P50),
            new Sample(Measure.P99, report.P99),
            new Sample(Measure.Memory, topology.LargestMegabytes()),
        ];
    }
}
