// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text;
using Weft.Bench.Figures;
using Weft.Bench.Load;
using Weft.Bench.Peers;
using Weft.Proxy.Io;

namespace Weft.Bench.Rows;

/// <summary>From the start of a process to the first byte of an answer that came through it.</summary>
internal sealed class StartRow : Row
{
    private const string Case = "one hop, configuration on disk";
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(10);

    public override string Name => "start";

    public override RowResult Run(Lab lab)
    {
        var rounds = lab.Options.Quick ? 5 : 15;
        Func<Topology>[] makers = [lab.Haproxy.Hop, lab.Nginx.Hop, () => lab.Weft.Hop()];
        var figures = new Dictionary<string, List<double>>();
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var maker in makers)
            {
                Progress.Say($"start, round {round} of {rounds}");
                var took = Once(maker, out var name);
                if (!figures.TryGetValue(name, out var values))
                {
                    figures[name] = values = [];
                }

                // The first finds the program's file on disk instead of in memory.
                if (round > 0)
                {
                    values.Add(took);
                }
            }
        }

        Progress.Clear();
        return new RowResult(
            Name,
            "Process start to first byte served",
            "From just before the process is made until the first byte of an origin's answer comes through it; the client tries to connect all the time.",
            Measure.StartTime,
            "haproxy",
            [.. figures.Select(entry => new Figure(Case, entry.Key, Measure.StartTime, entry.Value))],
            [new Goal(Case, "weft", Measure.StartTime, 20)]);
    }

    /// <summary>Milliseconds. Writing the configuration is counted too, for all alike: well below a millisecond.</summary>
    private static double Once(Func<Topology> maker, out string name)
    {
        var request = Encoding.ASCII.GetBytes($"GET {Origin.Small} HTTP/1.1\r\nhost: bench\r\n\r\n");
        Span<byte> answer = stackalloc byte[4096];
        var began = Stopwatch.GetTimestamp();
        using var topology = maker();
        name = topology.Name;
        while (Stopwatch.GetElapsedTime(began) < _limit)
        {
            var fd = Sockets.TryConnect(topology.Port);
            if (fd < 0)
            {
                Thread.Yield();
                continue;
            }

            // What is accepted but not served yet (no plan so far) may be closed again or answered with an error.
            var length = Sockets.Ask(fd, request, answer);
            var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            Libc.Close(fd);
            if (length > 0 && answer[..length].StartsWith("HTTP/1.1 200"u8))
            {
                return took;
            }
        }

        throw new BenchException($"{name} did not serve within {_limit.TotalSeconds} s.");
    }
}
