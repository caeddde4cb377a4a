// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Bench.Peers;

namespace Weft.Bench.Load;

/// <summary>Runs wrk and reads its report; an answer that is not 2xx, or a broken connection, throws.</summary>
internal static partial class Wrk
{
    public static LoadReport Run(Topology topology, string path, int connections, int seconds, params string[] headers)
    {
        List<string> arguments =
        [
            "-t1", $"-c{connections.ToString(CultureInfo.InvariantCulture)}", $"-d{seconds.ToString(CultureInfo.InvariantCulture)}s", "--latency", "--timeout", "10s",
            .. headers.SelectMany(header => (string[])["-H", header]),
            $"http://127.0.0.1:{topology.Port.ToString(CultureInfo.InvariantCulture)}{path}",
        ];
        var report = Tool.Run("wrk", [.. arguments]);
        if (report.Contains("Non-2xx", StringComparison.Ordinal) || report.Contains("Socket errors", StringComparison.Ordinal))
        {
            throw new BenchException($"{topology.Name} answered with errors:\n{report}");
        }

        var requests = double.Parse(Total().Match(report).Groups[1].Value, CultureInfo.InvariantCulture);
        return new LoadReport(
            requests > 0 ? requests : throw new BenchException($"{topology.Name} answered nothing:\n{report}"),
            double.Parse(Rate().Match(report).Groups[1].Value, CultureInfo.InvariantCulture),
            Megabytes(report),
            Milliseconds(report, "50%"),
            Milliseconds(report, "99%"));
    }

    // wrk's units are powers of 1024.
    private static double Megabytes(string report)
    {
        var match = Read().Match(report);
        var unit = match.Groups[2].Value switch { "KB" => 1024.0, "MB" => 1024.0 * 1024, "GB" => 1024.0 * 1024 * 1024, _ => 1 };
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * unit / 1e6;
    }

    private static double Milliseconds(string report, string quantile)
    {
        var match = Regex.Match(report, $@"{quantile}\s+([\d.]+)(us|ms|s)", RegexOptions.None, TimeSpan.FromSeconds(1));
        var value = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch { "us" => value / 1000, "s" => value * 1000, _ => value };
    }

    [GeneratedRegex(@"requests in [\d.]+\w+, ([\d.]+)(B|KB|MB|GB) read")]
    private static partial Regex Read();

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex Total();

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Rate();
}

/// <summary>What a load generator saw; latencies in milliseconds, at saturation of its connections.</summary>
internal sealed record LoadReport(double Requests, double PerSecond, double Megabytes, double P50, double P99);
