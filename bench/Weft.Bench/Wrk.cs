// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.Bench;

/// <summary>Runs wrk against a topology and reads its report.</summary>
internal static partial class Wrk
{
    public static Round Measure(Topology topology, string path, int connections, int seconds)
    {
        var cpu = topology.CpuMicroseconds();
        var report = Tool.Run(
            "wrk", "-t1", $"-c{connections.ToString(CultureInfo.InvariantCulture)}", $"-d{seconds.ToString(CultureInfo.InvariantCulture)}s", "--latency",
            $"http://127.0.0.1:{topology.Port.ToString(CultureInfo.InvariantCulture)}{path}");
        cpu = topology.CpuMicroseconds() - cpu;
        if (report.Contains("Non-2xx", StringComparison.Ordinal) || report.Contains("Socket errors", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"{topology.Name} answered with errors:\n{report}");
        }

        var requests = double.Parse(Total().Match(report).Groups[1].Value, CultureInfo.InvariantCulture);
        return new Round(
            cpu / requests,
            double.Parse(Rate().Match(report).Groups[1].Value, CultureInfo.InvariantCulture),
            Milliseconds(report, "50%"),
            Milliseconds(report, "99%"),
            topology.ResidentMegabytes());
    }

    private static double Milliseconds(string report, string quantile)
    {
        var match = Regex.Match(report, $@"{quantile}\s+([\d.]+)(us|ms|s)", RegexOptions.None, TimeSpan.FromSeconds(1));
        var value = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch { "us" => value / 1000, "s" => value * 1000, _ => value };
    }

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex Total();

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Rate();
}
