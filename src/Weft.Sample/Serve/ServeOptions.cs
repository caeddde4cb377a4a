// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Sample.Serve;

/// <summary>How the sample service behaves, from its flags and environment.</summary>
internal sealed partial record ServeOptions
{
    private static readonly string[] _valued =
        ["--port", "--name", "--version", "--latency", "--fail-rate", "--status", "--calls", "--call-timeout", "--page"];

    public required int Port { get; init; }

    public required string Name { get; init; }

    public required string Version { get; init; }

    public required string Pod { get; init; }

    public Latency Latency { get; init; }

    public double FailRate { get; init; }

    public int Status { get; init; } = 200;

    public IReadOnlyList<Uri> Calls { get; init; } = [];

    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public bool Require { get; init; }

    /// <summary>Title of the page for people; null means that <c>/</c> answers JSON like every other path.</summary>
    public string? Page { get; init; }

    public bool Log { get; init; }

    public static ServeOptions Parse(IEnumerable<string> args, Func<string, string?> environment, string hostName)
    {
        var flags = Flags.Parse(args, _valued, ["--require", "--log"], environment);
        if (flags.Rest.Count > 0)
        {
            throw new UsageException($"Unexpected word '{flags.Rest[0]}'. 'weft-sample --help' shows the verbs.");
        }

        var name = flags.Text("--name", "SERVICE_NAME") ?? PodName().Match(hostName) switch
        {
            { Success: true } pod => pod.Groups[1].Value,
            _ => hostName,
        };
        return new ServeOptions
        {
            Port = flags.Number("--port", 8080, 0, 65535, "PORT"),
            Name = name,
            Version = flags.Text("--version", "SERVICE_VERSION", "VERSION") ?? (VersionAtEnd().Match(name) is { Success: true } end ? end.Groups[1].Value : "v1"),
            Pod = hostName,
            Latency = flags.Text("--latency", "LATENCY") is { } latency ? Latency.Parse("--latency", latency) : default,
            FailRate = flags.Text("--fail-rate", "FAIL_RATE") is { } share ? Durations.ParseShare("--fail-rate", share) : 0,
            Status = flags.Number("--status", 200, 200, 599, "STATUS"),
            Calls = [.. (flags.Text("--calls", "CALLS") ?? "")
                .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(Http.Call.ParseUrl)],
            CallTimeout = flags.Duration("--call-timeout", TimeSpan.FromSeconds(5), "CALL_TIMEOUT"),
            Require = flags.Has("--require"),
            Page = flags.Text("--page", "PAGE"),
            Log = flags.Has("--log"),
        };
    }

    // What a Deployment makes of its name: NAME-HASH-RANDOM.
    [GeneratedRegex("^(.+)-[a-z0-9]{6,10}-[a-z0-9]{5}$", RegexOptions.CultureInvariant, 100)]
    private static partial Regex PodName();

    [GeneratedRegex("-(v[0-9]+)$", RegexOptions.CultureInvariant, 100)]
    private static partial Regex VersionAtEnd();
}
