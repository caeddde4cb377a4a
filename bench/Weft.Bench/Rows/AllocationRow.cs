// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Weft.Bench.Figures;
using Weft.Bench.Load;
using Weft.Bench.Peers;
using Weft.Proxy.Io;

namespace Weft.Bench.Rows;

/// <summary>Bytes that the runtime of weft-proxy allocates for each request, as its own counter says.</summary>
internal sealed partial class AllocationRow : Row
{
    private const string Counter = "dotnet_gc_heap_total_allocated_bytes_total";
    private const int PageLimit = 1024 * 1024;

    public override string Name => "allocations";

    public override RowResult Run(Lab lab)
    {
        List<Figure> figures = [];
        foreach (var io in (string[])["epoll", "uring"])
        {
            var port = lab.NextPort();
            var admin = lab.NextPort();
            var program = Tool.Open(lab.WeftProgram, "sidecar", "--bootstrap", lab.Weft.Prepare("allocations", "client", WeftPlans.Hop(port, lab.Origin.Port), io, admin));
            using var topology = new Topology("weft", port, program);
            topology.WhenListening();
            figures.Add(new Figure(CaseOf(io), topology.Name, Measure.Allocated, [Once(lab, topology, admin)]));
        }

        return new RowResult(
            Name,
            "Allocations per request in steady state",
            "One hop under wrk with 32 connections; the growth of the proxy's counter of allocated bytes, less what reading the counter costs, over the number of requests. The counter grows in steps of 8 KB for each thread. The tests assert exactly 0 on a loop's thread.",
            Measure.Allocated,
            null,
            figures,
            [new Goal(CaseOf("epoll"), "weft", Measure.Allocated, 0.5), new Goal(CaseOf("uring"), "weft", Measure.Allocated, 0.5)]);
    }

    private static string CaseOf(string io) => $"one hop, {io}";

    /// <summary>One long run instead of rounds, so that the counter's steps do not show.</summary>
    private static double Once(Lab lab, Topology topology, int admin)
    {
        Progress.Say("allocations");
        Wrk.Run(topology, Origin.Small, HttpLoad.Connections, 1);
        Read(admin);
        var first = Read(admin);
        var second = Read(admin);
        var report = Wrk.Run(topology, Origin.Small, HttpLoad.Connections, lab.Options.Seconds * 2);
        var third = Read(admin);
        Progress.Clear();
        return Math.Max(0, third - second - (second - first)) / report.Requests;
    }

    private static double Read(int admin)
    {
        var fd = Sockets.Connect(admin);
        var page = new byte[PageLimit];
        var request = Encoding.ASCII.GetBytes("GET /stats/prometheus HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
        var length = 0;
        for (int count; (count = Sockets.Ask(fd, length == 0 ? request : [], page.AsSpan(length))) > 0;)
        {
            length += count;
        }

        Libc.Close(fd);
        var found = Line().Match(Encoding.UTF8.GetString(page, 0, length));
        return found.Success
            ? double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new BenchException($"weft-proxy's metrics have no {Counter}.");
    }

    [GeneratedRegex($@"^{Counter}(?:\{{\}})? (\S+)", RegexOptions.Multiline)]
    private static partial Regex Line();
}
