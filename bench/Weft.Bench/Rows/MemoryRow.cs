// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Bench.Figures;
using Weft.Bench.Load;
using Weft.Bench.Peers;
using Weft.Proxy.Io;

namespace Weft.Bench.Rows;

/// <summary>Resident memory: idle, under load, and for each of many idle connections.</summary>
internal sealed class MemoryRow : Row
{
    private const string Idle = "idle";
    private const string Loaded = "1,000 connections under load";
    private const int LoadedConnections = 1000;
    private const int LoadedSeconds = 6;
    private const int LookEveryMs = 250;

    // Longer than a proxy's own tidying after its start; what connections leave behind is gone sooner.
    private const int StartSettleMs = 6000;
    private const int SettleMs = 2000;

    public override string Name => "memory";

    public override RowResult Run(Lab lab)
    {
        var idle = Math.Min(lab.Options.Quick ? 1000 : 10_000, DescriptorLimit.Connections);
        var plain = string.Create(CultureInfo.InvariantCulture, $"{idle:N0} idle connections, plain");
        var tls = string.Create(CultureInfo.InvariantCulture, $"{idle:N0} idle connections, mutual TLS");
        return new RowResult(
            Name,
            "Resident memory of one sidecar",
            "The larger proxy of a mutual TLS pair, idle and while wrk holds 1,000 busy connections (the highest value seen); then what one proxy grows by for each connection that has carried a request and idles, 10,000 or as many as the machine's limit of open descriptors lets a proxy have.",
            Measure.Memory,
            "haproxy",
            [.. Pairs(lab), .. IdleConnections(lab, plain, idle, useTls: false), .. IdleConnections(lab, tls, idle, useTls: true)],
            [
                new Goal(Idle, "weft", Measure.Memory, 15),
                new Goal(Loaded, "weft", Measure.Memory, 30),
                new Goal(plain, "weft", Measure.MemoryPerConnection, 4),
                new Goal(tls, "weft", Measure.MemoryPerConnection, 20),
            ]);
    }

    private static List<Figure> Pairs(Lab lab)
    {
        Topology?[] all = [lab.Haproxy.Pair(), lab.Nginx.Pair(), lab.Envoy?.Pair(), lab.Weft.Pair()];
        var pairs = all.OfType<Topology>().ToArray();
        try
        {
            Array.ForEach(pairs, pair => pair.WhenListening());
            Progress.Say("memory, idle");
            Settle(StartSettleMs);
            List<Figure> figures = [.. pairs.Select(pair => new Figure(Idle, pair.Name, Measure.Memory, [pair.LargestMegabytes()]))];
            foreach (var pair in pairs)
            {
                Progress.Say($"{Loaded}: {pair.Name}");
                Try(lab, pair, Loaded, () => figures.Add(new Figure(
                    Loaded, pair.Name, Measure.Memory, [HighestDuring(pair, () => Wrk.Run(pair, Origin.Small, LoadedConnections, lab.Options.Quick ? 3 : LoadedSeconds))])));
            }

            return figures;
        }
        finally
        {
            Array.ForEach(pairs, pair => pair.Dispose());
        }
    }

    private static double HighestDuring(Topology topology, Action load)
    {
        using var done = new ManualResetEventSlim();
        var highest = 0.0;
        var watcher = new Thread(() =>
        {
            do
            {
                highest = Math.Max(highest, topology.LargestMegabytes());
            }
            while (!done.Wait(LookEveryMs));
        });
        watcher.Start();
        try
        {
            load();
        }
        finally
        {
            done.Set();
            watcher.Join();
        }

        return highest;
    }

    private static List<Figure> IdleConnections(Lab lab, string @case, int count, bool useTls)
    {
        Topology[] topologies = useTls
            ? [lab.Haproxy.TlsServer(), lab.Nginx.TlsServer(), lab.Weft.TlsServer()]
            : [lab.Haproxy.Hop(), lab.Nginx.Hop(), lab.Weft.Hop()];
        try
        {
            List<Figure> figures = [];
            Array.ForEach(topologies, topology => topology.WhenListening());
            Progress.Say(@case);
            Settle(StartSettleMs);
            foreach (var topology in topologies)
            {
                // One after the other: this process must hold all the connections, and has only so many descriptors.
                Progress.Say($"{@case}: {topology.Name}");
                Try(lab, topology, @case, () => figures.AddRange(OneHerd(lab, topology, @case, count, useTls)));
            }

            Progress.Clear();
            return figures;
        }
        finally
        {
            Array.ForEach(topologies, topology => topology.Dispose());
        }
    }

    private static Figure[] OneHerd(Lab lab, Topology topology, string @case, int count, bool useTls)
    {
        // Two, because a proxy that has nearly as many descriptors open as it may have closes what is idle.
        Topology[] openers = useTls ? [lab.Weft.TlsOpener(topology.Port), lab.Weft.TlsOpener(topology.Port)] : [];
        try
        {
            Array.ForEach(openers, opener => opener.WhenListening());
            var before = topology.LargestMegabytes();
            using var herd = new Herd(useTls ? [.. openers.Select(opener => opener.Port)] : [topology.Port], count);
            Settle(SettleMs);
            var after = topology.LargestMegabytes();
            herd.EnsureWhole();
            return
            [
                new Figure(@case, topology.Name, Measure.Memory, [after]),
                new Figure(@case, topology.Name, Measure.MemoryPerConnection, [(after - before) * 1e6 / 1024 / count]),
            ];
        }
        finally
        {
            Array.ForEach(openers, opener => opener.Dispose());
        }
    }

    // The others are worth their minutes all the same.
    private static void Try(Lab lab, Topology topology, string @case, Action measure)
    {
        try
        {
            measure();
        }
        catch (BenchException failure)
        {
            lab.Problems.Add($"{topology.Name}, {@case}: {failure.Message}");
        }
    }

    private static void Settle(int milliseconds)
    {
        using var never = new ManualResetEventSlim();
        never.Wait(milliseconds);
    }

    /// <summary>Open connections that have each carried one request.</summary>
    private sealed class Herd : IDisposable
    {
        private readonly List<int> _members = [];

        internal Herd(int[] ports, int count)
        {
            var request = Encoding.ASCII.GetBytes($"GET {Origin.Small} HTTP/1.1\r\nhost: bench\r\n\r\n");
            var answer = new byte[4096];
            foreach (var port in ports)
            {
                UntilServed(port, request, answer);
            }

            for (var i = 0; i < count; i++)
            {
                var fd = Sockets.Connect(ports[i % ports.Length]);
                _members.Add(fd);
                if (Sockets.Ask(fd, request, answer) is var length && !answer.AsSpan(0, Math.Max(0, length)).StartsWith("HTTP/1.1 200"u8))
                {
                    throw new BenchException($"Connection {i + 1} of {count} was not answered with 200: {Encoding.Latin1.GetString(answer, 0, Math.Max(0, length))}");
                }
            }
        }

        /// <summary>Throws unless all are still open: what has been closed costs nothing, and would pass for thrift.</summary>
        internal void EnsureWhole()
        {
            var lost = _members.Count(fd => !Sockets.IsIdle(fd));
            if (lost > 0)
            {
                throw new BenchException($"{lost} of {_members.Count} connections were closed while they idled.");
            }
        }

        // What has just started takes connections before it can pass them on.
        private static void UntilServed(int port, byte[] request, byte[] answer)
        {
            using var never = new ManualResetEventSlim();
            var length = 0;
            for (var waited = 0; waited < StartSettleMs && !answer.AsSpan(0, Math.Max(0, length)).StartsWith("HTTP/1.1 200"u8); waited += LookEveryMs)
            {
                never.Wait(waited == 0 ? 0 : LookEveryMs);
                var fd = Sockets.Connect(port);
                length = Sockets.Ask(fd, request, answer);
                Libc.Close(fd);
            }
        }

        public void Dispose() => _members.ForEach(fd => Libc.Close(fd));
    }
}
