// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;

namespace Weft.Bench;

/// <summary>Interleaved rounds over all topologies: what disturbs the machine disturbs every peer alike.</summary>
internal static class Http1Comparison
{
    private static readonly string[] _paths = ["/100", "/10000"];

    public static async Task RunAsync(Topology[] topologies, Topology origin, Topology reference, int rounds, int seconds, int connections)
    {
        foreach (var topology in topologies)
        {
            await WhenListeningAsync(topology);
        }

        var idle = topologies.ToDictionary(topology => topology, topology => topology.ResidentMegabytes());
        foreach (var path in _paths)
        {
            var measured = topologies.ToDictionary(topology => topology, _ => new List<Round>());
            for (var round = 0; round <= rounds; round++)
            {
                foreach (var topology in topologies)
                {
                    var figures = Wrk.Measure(topology, path, connections, seconds);
                    if (round > 0)
                    {
                        // Round 0 warms caches, pools and the frequency governor.
                        measured[topology].Add(figures);
                    }
                }

                await Console.Error.WriteAsync($"\r{path} round {round} of {rounds} ");
            }

            await Console.Error.WriteAsync("\r                         \r");
            await Console.Out.WriteAsync(Table(path, topologies, origin, reference, measured, idle));
        }
    }

    private static string Table(
        string path, Topology[] topologies, Topology origin, Topology reference, Dictionary<Topology, List<Round>> measured, Dictionary<Topology, double> idle)
    {
        var text = new System.Text.StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"response of {path[1..]} bytes; CPU is of the proxies alone; medians of {measured[reference].Count} rounds\n");
        text.Append("TOPOLOGY      CPU us/req  x haproxy (spread)    REQ/S     P50 ms   P99 ms   MB idle/load\n");
        foreach (var topology in topologies)
        {
            var figures = measured[topology];
            var isOrigin = topology == origin;
            var ratios = figures.Zip(measured[reference], (own, other) => own.CpuPerRequest / other.CpuPerRequest).Order().ToArray();
            var cpu = isOrigin ? "-" : Median(figures.Select(round => round.CpuPerRequest)).ToString("0.0", CultureInfo.InvariantCulture);
            var ratio = isOrigin ? "-" : string.Create(CultureInfo.InvariantCulture, $"{Median(ratios):0.00} ({ratios[0]:0.00}-{ratios[^1]:0.00})");
            text.Append(
                CultureInfo.InvariantCulture,
                $"{topology.Name,-13} {cpu,10}  {ratio,-19} {Median(figures.Select(round => round.RequestsPerSecond)),7:0} {Median(figures.Select(round => round.P50Milliseconds)),9:0.00} {Median(figures.Select(round => round.P99Milliseconds)),8:0.00}   {idle[topology],4:0.0}/{Median(figures.Select(round => round.Megabytes)):0.0}\n");
        }

        return text.Append('\n').ToString();
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    private static async Task WhenListeningAsync(Topology topology)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync("127.0.0.1", topology.Port);
                return;
            }
            catch (SocketException) when (attempt < 100)
            {
                await Task.Delay(50);
            }
        }
    }
}
