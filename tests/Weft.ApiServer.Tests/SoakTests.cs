// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Xunit;
using Xunit.Abstractions;

namespace Weft.ApiServer.Tests;

/// <summary>Fifty writes a second for as long as WEFT_SOAK_SECONDS says: nothing is refused, watchers keep up, memory stays flat.</summary>
public sealed class SoakTests(ITestOutputHelper output) : IDisposable
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const int WritesASecond = 50;
    private const int Objects = 200;
    private const int Watchers = 5;
    private const long MostMemory = 400L * 1024 * 1024;

    private static readonly TimeSpan _sayEvery = TimeSpan.FromMinutes(5);
    private static readonly int _seconds = LongRun.Length("WEFT_SOAK_SECONDS", 8);

    private readonly string _folder = Directory.CreateTempSubdirectory("weft-soak-").FullName;
    private readonly int[] _seen = new int[Watchers];

    [Fact]
    public async Task Memory_is_flat_at_fifty_writes_a_second()
    {
        await using var server = await ServerProcess.StartAsync(_folder);
        var (_, list) = await server.SendAsync(HttpMethod.Get, Maps);
        var from = (string)list["metadata"]!["resourceVersion"]!;
        using var ending = new CancellationTokenSource();
        var watchers = Enumerable.Range(0, Watchers).Select(i => WatchAsync(server, from, i, ending.Token)).ToArray();
        var samples = new List<long>();
        var said = TimeSpan.Zero;
        var total = _seconds * WritesASecond;
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / WritesASecond));
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < total; i++)
        {
            var (code, body) = i < Objects
                ? await server.SendAsync(HttpMethod.Post, Maps, Map(i))
                : await server.SendAsync(HttpMethod.Put, $"{Maps}/c{i % Objects}", Map(i));
            Assert.True(code is HttpStatusCode.OK or HttpStatusCode.Created, $"write {i}: {body}");
            if (i % (WritesASecond * 5) == 0)
            {
                samples.Add(ResidentBytes(server.Id));
            }

            if (i == Objects || clock.Elapsed - said >= _sayEvery)
            {
                said = clock.Elapsed;
                Say(i + 1, said, server.Id);
            }

            await pace.WaitForNextTickAsync();
        }

        await Weft.Testing.Eventually.HoldsAsync(
            "every watcher has seen every write", () => Task.FromResult(_seen.All(count => count == total)), () => Task.FromResult(string.Join(", ", _seen)));
        samples.Add(ResidentBytes(server.Id));
        Say(total, clock.Elapsed, server.Id);
        Assert.True(samples[^1] < MostMemory, $"{samples[^1] >> 20} MiB at the end");

        // The history fills first; from the middle on there is nothing left that may grow.
        if (total > 4 * ApiLimits.HistoryLength)
        {
            var middle = samples[samples.Count / 2];
            Assert.True(samples[^1] < middle * 1.15, $"it grew from {middle >> 20} to {samples[^1] >> 20} MiB");
        }

        await ending.CancelAsync();
        await Task.WhenAll(watchers);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task WatchAsync(ServerProcess server, string from, int index, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{Maps}?watch=1&resourceVersion={from}");
            using var answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
            while (await reader.ReadLineAsync(cancellationToken) is not null)
            {
                _seen[index]++;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The soak is over.
        }
    }

    private void Say(int writes, TimeSpan after, int process)
    {
        var stored = Directory.EnumerateFiles(Path.Combine(_folder, "data"), "objects.db*").Sum(file => new FileInfo(file).Length);
        LongRun.Say(output, $"{after.TotalSeconds:0} s: {writes} writes, {ResidentBytes(process) / 1048576.0:0.0} MiB of memory, {stored / 1048576.0:0.0} MiB of files");
    }

    private static long ResidentBytes(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    private static JsonObject Map(int number) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject { ["name"] = $"c{number % Objects}" },
        ["data"] = new JsonObject { ["n"] = $"{number}", ["text"] = new string('x', 1500) },
    };
}
