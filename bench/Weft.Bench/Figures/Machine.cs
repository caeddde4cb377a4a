// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Bench.Peers;

namespace Weft.Bench.Figures;

/// <summary>Where and with what was measured; figures mean nothing without it.</summary>
internal sealed record Machine(string Processor, int Cores, double MemoryGigabytes, string Kernel, string System, IReadOnlyList<string> Versions, string Commit, DateTimeOffset Time)
{
    /// <summary>Asks the kernel and every program for what they are.</summary>
    public static Machine Look(string root, BenchOptions options, TimeProvider clock) => new(
        Match("/proc/cpuinfo", @"model name\s*:\s*(.+)"),
        Environment.ProcessorCount,
        Math.Round(double.Parse(Match("/proc/meminfo", @"MemTotal:\s*(\d+)"), CultureInfo.InvariantCulture) / 1e6, 1),
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        Match("/etc/os-release", "PRETTY_NAME=\"(.+)\""),
        [.. Ask(options)],
        CommitOf(root),
        clock.GetUtcNow());

    private static IEnumerable<string> Ask(BenchOptions options)
    {
        yield return FirstLine(options.Haproxy, "-v");
        yield return FirstLine(options.Nginx, "-v");
        if (options.Envoy is { } envoy)
        {
            yield return "envoy " + FirstLine(envoy, "--version");
        }

        yield return FirstLine("wrk", "-v");
        yield return FirstLine("h2load", "--version");
        yield return FirstLine("openssl", "version");
        yield return $".NET {Environment.Version.ToString()} (this harness)";
    }

    // wrk and nginx say their version on other streams and with other exit codes than one expects.
    private static string FirstLine(string program, string argument) =>
        Tool.Ask(program, argument).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() is { } line
            ? Regex.Replace(line, @" - https?://.*$| Copyright.*$", "", RegexOptions.None, TimeSpan.FromSeconds(1))
            : program;

    private static string CommitOf(string root)
    {
        var commit = Tool.Ask("git", "-C", root, "rev-parse", "--short=12", "HEAD").Trim();
        var changed = Tool.Ask("git", "-C", root, "status", "--porcelain", "--untracked-files=no", "--", "src", "api", "eng", "bench").Trim();
        return changed.Length == 0 ? commit : $"{commit} with changes";
    }

    private static string Match(string file, string pattern) =>
        Regex.Match(File.ReadAllText(file), pattern, RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value.Trim();
}
