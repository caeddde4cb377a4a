// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Xunit;
using Xunit.Abstractions;

namespace Weft.ApiServer.Tests;

/// <summary>What was acknowledged is there after kill -9, and who watches across it misses nothing.</summary>
public sealed class CrashTests(ITestOutputHelper output) : IDisposable
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const int Writers = 4;
    private const int KeysOfAWriter = 8;
    private const int LongestRound = 150;

    /// <summary>Makes the short form long, for both stores alike.</summary>
    private const string RoundsVariable = "WEFT_CRASH_ROUNDS";

    private readonly string _folder = Directory.CreateTempSubdirectory("weft-crash-").FullName;

    /// <summary>Name → number that was acknowledged last; null when its deletion was.</summary>
    private readonly ConcurrentDictionary<string, int?> _acknowledged = new(StringComparer.Ordinal);

    /// <summary>Name → number of the write under way when the server was killed, of which nobody knows.</summary>
    private readonly ConcurrentDictionary<string, int?> _unknown = new(StringComparer.Ordinal);

    /// <summary>Versions of acknowledged writes.</summary>
    private readonly ConcurrentDictionary<long, string> _written = new();

    /// <summary>Versions that a watch has shown; it may do so before the writer has read its answer.</summary>
    private readonly ConcurrentDictionary<long, bool> _seen = new();

    private int _number;
    private int _writes;

    [Fact]
    public Task Every_acknowledged_write_survives_kill_9_and_a_watch_that_goes_on_misses_none() => KillAgainAndAgainAsync(null, LongRun.Length(RoundsVariable, 12));

    [Fact]
    public async Task So_it_does_when_the_objects_are_in_etcd()
    {
        await using var etcd = await Storage.EtcdServer.StartAsync();
        await KillAgainAndAgainAsync(etcd.Url, LongRun.Length(RoundsVariable, 2));
    }

    private async Task KillAgainAndAgainAsync(string? store, int rounds)
    {
        var random = new Random(7);
        var version = 0L;
        for (var round = 0; round < rounds; round++)
        {
            await using var server = await ServerProcess.StartWithAsync(_folder, store);
            version = await CompareAsync(server, round, version);
            using var ended = new CancellationTokenSource();
            var watching = WatchAsync(server, version, ended.Token);
            await WriteAsync(server, random.Next(1, LongestRound));
            await server.KillAsync();
            await ended.CancelAsync();
            version = Math.Max(version, await watching);
            LongRun.Say(output, $"{(store is null ? "the file" : "etcd")}, killed {round + 1} times: {_writes} acknowledged writes, {_seen.Count} events, version {version}");
        }

        await using var last = await ServerProcess.StartWithAsync(_folder, store);
        await CompareAsync(last, rounds, version);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await WatchAsync(last, version, limit.Token, until: _written.Keys.Max());
        Assert.DoesNotContain(_written.Keys, write => !_seen.ContainsKey(write));
    }

    [Fact]
    public async Task The_server_leaves_the_signals_of_its_process_alone()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        var (code, said) = await server.TerminateAsync();
        Assert.True(code is 143 or 0, $"it ended with {code}: {said}");
    }

    [Fact]
    public async Task A_full_disk_is_said_to_be_full_and_is_used_again_when_there_is_space()
    {
        const string Script = "set -e; mkdir -p \"$0/data\"; mount -t tmpfs -o size=4m tmpfs \"$0/data\"; head -c 1500000 /dev/zero >\"$0/data/filler\"; exec \"$@\"";
        await using var server = await ServerProcess.StartAsync(
            _folder, "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", Script, _folder);
        JsonNode? refusal = null;
        var written = 0;
        while (refusal is null && written < 1000)
        {
            var (code, body) = await server.SendAsync(HttpMethod.Post, Maps, Map($"c{written}", 0, new string('x', 20_000)));
            refusal = code is HttpStatusCode.Created ? null : body;
            written += refusal is null ? 1 : 0;
        }

        Assert.Equal((507, "InsufficientStorage"), ((int)refusal!["code"]!, (string)refusal["reason"]!));
        Assert.Contains($"the disk that holds '{_folder}/data/objects.db' is full", (string)refusal["message"]!, StringComparison.Ordinal);
        using (var ready = await server.Client.GetAsync("/readyz"))
        {
            Assert.Equal(HttpStatusCode.InternalServerError, ready.StatusCode);
        }

        var (_, list) = await server.SendAsync(HttpMethod.Get, Maps);
        Assert.Equal(written, Names(list).Count(name => name.StartsWith('c')));
        File.Delete($"/proc/{server.Id}/root{_folder}/data/filler");
        var (again, _) = await server.SendAsync(HttpMethod.Post, Maps, Map("after", 0));
        Assert.Equal(HttpStatusCode.Created, again);
        (_, list) = await server.SendAsync(HttpMethod.Get, Maps);
        Assert.Equal(written + 1, Names(list).Count(name => name.StartsWith('c') || name is "after"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Writes until so many writes were acknowledged, and leaves those under way when it returns unknown.</summary>
    private async Task WriteAsync(ServerProcess server, int wanted)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = wanted;
        for (var writer = 0; writer < Writers; writer++)
        {
            var name = $"w{writer}-";
            _ = Task.Run(async () =>
            {
                try
                {
                    while (true)
                    {
                        await OneAsync(server, name + (Interlocked.Increment(ref _number) % KeysOfAWriter));
                        if (Interlocked.Decrement(ref left) <= 0)
                        {
                            done.TrySetResult();
                        }
                    }
                }
                catch (Exception end) when (end is HttpRequestException or IOException or ObjectDisposedException or TaskCanceledException)
                {
                    // The server was killed.
                }
            });
        }

        await done.Task;
    }

    private async Task OneAsync(ServerProcess server, string name)
    {
        var number = Interlocked.Increment(ref _number);
        var exists = _acknowledged.GetValueOrDefault(name) is not null;
        int? target = exists && number % 5 == 0 ? null : number;
        _unknown[name] = target;
        var (code, body) = target is null
            ? await server.SendAsync(HttpMethod.Delete, $"{Maps}/{name}")
            : exists
                ? await server.SendAsync(HttpMethod.Put, $"{Maps}/{name}", Map(name, number))
                : await server.SendAsync(HttpMethod.Post, Maps, Map(name, number));
        Assert.True(code is HttpStatusCode.OK or HttpStatusCode.Created, $"{name}: {body}");
        _acknowledged[name] = target;
        _unknown.TryRemove(name, out _);
        Interlocked.Increment(ref _writes);
        if (target is not null)
        {
            _written[long.Parse((string)body["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture)] = name;
        }
    }

    private async Task<long> CompareAsync(ServerProcess server, int round, long before)
    {
        var (_, list) = await server.SendAsync(HttpMethod.Get, Maps);
        var found = list["items"]!.AsArray().Where(item => ((string)item!["metadata"]!["name"]!).StartsWith('w')).ToDictionary(
            item => (string)item!["metadata"]!["name"]!,
            item => (int?)int.Parse((string)item!["data"]!["n"]!, CultureInfo.InvariantCulture));
        foreach (var name in _acknowledged.Keys.Union(_unknown.Keys).ToList())
        {
            var there = found.GetValueOrDefault(name);
            var expected = _acknowledged.GetValueOrDefault(name);
            var possible = _unknown.TryRemove(name, out var unknown) && there == unknown;
            Assert.True(possible || there == expected, $"round {round}: {name} is {there}, and {expected} was acknowledged");
            _acknowledged[name] = there;
        }

        var version = long.Parse((string)list["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);
        Assert.True(version >= before, $"round {round}: the version went from {before} back to {version}");
        return before == 0 ? version : before;
    }

    /// <summary>Watches from a version until the server ends, or another version was seen; returns the version of the last event.</summary>
    private async Task<long> WatchAsync(ServerProcess server, long from, CancellationToken cancellationToken, long until = long.MaxValue)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{Maps}?watch=1&resourceVersion={from}");
            using var answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
            while (from < until && await reader.ReadLineAsync(cancellationToken) is { } line)
            {
                if (JsonNode.Parse(line) is { } item)
                {
                    Assert.NotEqual("ERROR", (string)item["type"]!);
                    var version = long.Parse((string)item["object"]!["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);
                    Assert.True(version > from, $"version {version} came after {from}");
                    from = version;
                    _seen[version] = true;
                }
            }
        }
        catch (Exception end) when (end is HttpRequestException or IOException or System.Text.Json.JsonException or OperationCanceledException)
        {
            // The server was killed, in the middle of a line perhaps; the next watch goes on from the last whole one.
        }

        return from;
    }

    private static JsonObject Map(string name, int number, string text = "") => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["data"] = new JsonObject { ["n"] = $"{number}", ["text"] = text },
    };

    private static IEnumerable<string> Names(JsonNode list) => list["items"]!.AsArray().Select(item => (string)item!["metadata"]!["name"]!);
}
