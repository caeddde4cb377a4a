// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;

namespace Weft.Cli.Running;

/// <summary>Writes the logs of some pods, and with follow of those too that take their place.</summary>
internal sealed class LogFollower(MeshHome home, Terminal terminal, TimeProvider clock)
{
    /// <summary>Containers that are followed at a time.</summary>
    public const int MaxFollowed = 64;

    private const string SidecarName = "weft-proxy";
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(200);

    private readonly Lock _writing = new();

    /// <summary>What the logs hold now, pod after pod. With more than one source each line says where it is from.</summary>
    public async Task PrintAsync(IReadOnlyList<JsonObject> pods, LogWish wish, CancellationToken ct)
    {
        var sources = pods.SelectMany(pod => SourcesOf(pod, wish)).ToList();
        foreach (var source in sources)
        {
            await CopyAsync(source, wish, follow: false, named: sources.Count > 1, ct);
        }
    }

    /// <summary>Follows the pods that <paramref name="list"/> finds until cancelled, or until it finds none that may still write.</summary>
    public async Task FollowAsync(Func<CancellationToken, Task<IReadOnlyList<JsonObject>>> list, LogWish wish, bool forEver, CancellationToken ct)
    {
        var running = new Dictionary<LogSource, Task>();
        var most = 0;
        while (true)
        {
            var sources = (await list(ct)).SelectMany(pod => SourcesOf(pod, wish)).Where(source => source.Started).ToList();
            foreach (var gone in running.Keys.Where(source => running[source].IsCompleted && !sources.Contains(source)).ToList())
            {
                await running[gone];
                running.Remove(gone);
            }

            foreach (var source in sources.Where(source => !running.ContainsKey(source)).Take(MaxFollowed - running.Count))
            {
                most = Math.Max(most, sources.Select(each => (each.Pod, each.Container)).Distinct().Count());

                // A replacement is read from its start; only what was there at first is cut to its tail.
                running.Add(source, CopyAsync(source, running.Count < sources.Count ? wish : wish with { Tail = null }, follow: true, named: most > 1, ct));
            }

            if (!forEver && running.Values.All(task => task.IsCompleted) && sources.TrueForAll(source => source.Over))
            {
                await Task.WhenAll(running.Values);
                return;
            }

            await Task.Delay(_look, clock, ct);
        }
    }

    private static IEnumerable<LogSource> SourcesOf(JsonObject pod, LogWish wish)
    {
        var states = pod.Objects("status", "initContainerStatuses").Concat(pod.Objects("status", "containerStatuses"))
            .ToDictionary(state => state.Text("name") ?? "", StringComparer.Ordinal);
        var names = pod.Objects("spec", "containers").Select(container => container.Text("name") ?? "").ToList();
        if (wish.Container is { } wanted)
        {
            string[] all = [.. names, .. pod.Objects("spec", "initContainers").Select(container => container.Text("name") ?? "")];
            names = all.Contains(wanted, StringComparer.Ordinal)
                ? [wanted]
                : throw new CommandException(
                    ExitCode.Failed, $"Pod '{pod.Name()}' has no container '{wanted}'.", $"It has: {string.Join(", ", all)}");
        }
        else
        {
            names.Remove(SidecarName);
        }

        foreach (var name in names)
        {
            var state = states.GetValueOrDefault(name);
            var restarts = state?.Number("restartCount") ?? 0;
            var runs = state?.Find("state", "running") is not null;
            var ended = state?.Find("state", "terminated") is not null;
            yield return new LogSource(pod.Namespace(), pod.Name(), pod.Uid(), name, restarts)
            {
                Started = runs || ended || (state?.Text("state", "waiting", "reason") == "CrashLoopBackOff"),
                Over = ended && pod.Text("status", "phase") is "Succeeded" or "Failed",
            };
        }
    }

    private async Task CopyAsync(LogSource source, LogWish wish, bool follow, bool named, CancellationToken ct)
    {
        var path = $"api/v1/namespaces/{source.Namespace}/pods/{source.Pod}/log?container={Uri.EscapeDataString(source.Container)}"
            + (follow ? "&follow=true" : "") + (wish.Previous ? "&previous=true" : "")
            + (wish.Tail is { } tail ? string.Create(CultureInfo.InvariantCulture, $"&tailLines={tail}") : "");
        using var http = SocketHttp.Open(home.ApiSocket);
        http.Timeout = Timeout.InfiniteTimeSpan;
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, ct);
        if (!answer.IsSuccessStatusCode)
        {
            if (follow)
            {
                // The pod went away between the look and the question.
                return;
            }

            var reason = JsonNode.Parse(await answer.Content.ReadAsStringAsync(ct))?["message"]?.ToString();
            throw new CommandException(ExitCode.Failed, $"{source.Pod} has no such log: {reason}");
        }

        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(ct));
        var prefix = named ? terminal.Dim($"[{source.Pod}{(wish.Container is null ? "" : $"/{source.Container}")}]") + " " : "";
        try
        {
            while (await reader.ReadLineAsync(ct) is { } line)
            {
                Write(prefix + line + "\n");
            }
        }
        catch (IOException) when (follow)
        {
            // The server ended in the middle; the next look begins again.
        }
    }

    /// <summary>Whole lines: several logs write at a time.</summary>
    private void Write(string line)
    {
        lock (_writing)
        {
            terminal.Out.Write(line);
            terminal.Out.Flush();
        }
    }

    /// <summary>One run of one container.</summary>
    private sealed record LogSource(string Namespace, string Pod, string Uid, string Container, long Run)
    {
        public bool Started { get; init; }

        public bool Over { get; init; }

        public bool Equals(LogSource? other) => other is not null && Uid == other.Uid && Container == other.Container && Run == other.Run;

        public override int GetHashCode() => HashCode.Combine(Uid, Container, Run);
    }
}

/// <summary>Which part of the logs is wanted; a container of null means the application's.</summary>
internal sealed record LogWish(string? Container = null, bool Previous = false, int? Tail = null);
