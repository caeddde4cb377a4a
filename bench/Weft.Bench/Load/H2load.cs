// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Bench.Peers;

namespace Weft.Bench.Load;

/// <summary>Runs h2load with gRPC calls over HTTP/2 without TLS and reads its report; a stream that fails throws.</summary>
internal static partial class H2load
{
    /// <param name="topology">Who is called.</param>
    /// <param name="connections">HTTP/2 connections.</param>
    /// <param name="streams">At once on each.</param>
    /// <param name="seconds">Of load.</param>
    /// <param name="message">A file with the request's message.</param>
    public static CallReport Call(Topology topology, int connections, int streams, int seconds, string message)
    {
        var report = Tool.Run(
            "h2load",
            "-t1", $"-c{Text(connections)}", $"-m{Text(streams)}", $"-D{Text(seconds)}",
            "-d", message,
            "-H", "content-type: application/grpc",
            "-H", "te: trailers",
            $"http://127.0.0.1:{Text(topology.Port)}{Origin.Grpc}");
        var counts = Counts().Match(report);
        var done = Number(counts.Groups["done"]);
        if (!counts.Success || done == 0 || Number(counts.Groups["succeeded"]) < done || !Statuses().IsMatch(report))
        {
            throw new BenchException($"{topology.Name} answered gRPC calls with errors:\n{report}");
        }

        // h2load counts what was under way at the end as errors of the run; what is done is what matters here.
        return new CallReport(done, Number(Rate().Match(report).Groups[1]), Milliseconds(Times().Match(report).Groups["mean"].Value));
    }

    private static double Number(Group group) => group.Success ? double.Parse(group.Value, CultureInfo.InvariantCulture) : 0;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static double Milliseconds(string text)
    {
        var match = Span().Match(text);
        var value = Number(match.Groups[1]);
        return match.Groups[2].Value switch { "us" => value / 1000, "s" => value * 1000, _ => value };
    }

    [GeneratedRegex(@"requests: \d+ total, \d+ started, (?<done>\d+) done, (?<succeeded>\d+) succeeded")]
    private static partial Regex Counts();

    [GeneratedRegex(@"status codes: [1-9]\d* 2xx, 0 3xx, 0 4xx, 0 5xx")]
    private static partial Regex Statuses();

    [GeneratedRegex(@"([\d.]+) req/s,")]
    private static partial Regex Rate();

    [GeneratedRegex(@"time for request:\s+\S+\s+\S+\s+(?<mean>\S+)")]
    private static partial Regex Times();

    [GeneratedRegex(@"([\d.]+)(us|ms|s)")]
    private static partial Regex Span();
}

/// <summary>What h2load saw; it reports the mean time of a call, in milliseconds.</summary>
internal sealed record CallReport(double Calls, double PerSecond, double Mean);
