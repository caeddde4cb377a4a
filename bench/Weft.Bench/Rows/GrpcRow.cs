// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Figures;
using Weft.Bench.Load;
using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>gRPC calls over HTTP/2 through two proxies with mutual TLS between them.</summary>
internal sealed class GrpcRow : Row
{
    private static readonly (string Case, int Connections, int Streams)[] _cases =
        [("4 connections of 16 streams", 4, 16), ("1 connection of 100 streams", 1, 100)];

    public override string Name => "grpc";

    public override RowResult Run(Lab lab)
    {
        Topology?[] all = [lab.Haproxy.GrpcPair(), lab.Nginx.GrpcPair(), lab.Envoy?.GrpcPair(), lab.Weft.GrpcPair()];
        var topologies = all.OfType<Topology>().ToArray();
        try
        {
            var figures = _cases.SelectMany(one => Interleaved.Measure(
                lab, one.Case, topologies, (topology, seconds) => Once(topology, one.Connections, one.Streams, seconds, lab.Origin.GrpcRequest)));
            return new RowResult(
                Name,
                "gRPC over HTTP/2, mutual TLS pair: CPU per call of both",
                "h2load, unary calls of 100 bytes each way with trailers; nginx runs one stream at a time on each upstream connection, the others share them.",
                Measure.CpuPerCall,
                "haproxy",
                [.. figures],
                [.. _cases.Select(one => new Goal(one.Case, "weft", Measure.CpuPerCall, 0.8, "haproxy"))]);
        }
        finally
        {
            Array.ForEach(topologies, topology => topology.Dispose());
        }
    }

    private static IReadOnlyList<Sample> Once(Topology topology, int connections, int streams, int seconds, string message)
    {
        var cpu = topology.CpuMicroseconds();
        var report = H2load.Call(topology, connections, streams, seconds, message);
        cpu = topology.CpuMicroseconds() - cpu;
        return
        [
            new Sample(Measure.CpuPerCall, cpu / report.Calls),
            new Sample(Measure.Rate, report.PerSecond),
            new Sample(Measure.Mean, report.Mean),
            new Sample(Measure.Memory, topology.LargestMegabytes()),
        ];
    }
}
