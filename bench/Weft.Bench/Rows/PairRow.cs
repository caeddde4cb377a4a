// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Figures;
using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>HTTP/1.1 through two proxies with mutual TLS between them.</summary>
internal sealed class PairRow : Row
{
    /// <summary>Requests of all connections share HTTP/2 between the two halves.</summary>
    public const string Shared = "weft, shared h2";

    public override string Name => "pair";

    public override RowResult Run(Lab lab)
    {
        Topology?[] all = [lab.Haproxy.Pair(), lab.Nginx.Pair(), lab.Envoy?.Pair(), lab.Weft.Pair(), lab.Weft.Pair(name: Shared, shared: true)];
        var topologies = all.OfType<Topology>().ToArray();
        try
        {
            string[] cases = [HttpLoad.Small, HttpLoad.Large];
            return new RowResult(
                Name,
                "HTTP/1.1 in, mutual TLS 1.3 between two proxies: CPU per request of both",
                $"wrk with 32 connections; AES-128-GCM, P-256, no resumption; '{Shared}' carries requests between the halves on HTTP/2, the others on pooled HTTP/1.1.",
                Measure.CpuPerRequest,
                "haproxy",
                [.. HttpLoad.Figures(lab, topologies)],
                [.. cases.SelectMany(Goals)]);
        }
        finally
        {
            Array.ForEach(topologies, topology => topology.Dispose());
        }
    }

    private static IEnumerable<Goal> Goals(string @case) =>
    [
        new Goal(@case, "weft", Measure.CpuPerRequest, 0.7, "haproxy"),
        new Goal(@case, "weft", Measure.CpuPerRequest, 0.75, "nginx"),
    ];
}
