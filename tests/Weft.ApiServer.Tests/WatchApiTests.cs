// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Lists in chunks, tables, watches.</summary>
public sealed class WatchApiTests : IAsyncLifetime
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string TableType = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_list_in_chunks_is_the_list_of_one_moment()
    {
        for (var i = 0; i < 5; i++)
        {
            await CreateAsync($"m{i}", "a");
        }

        var (_, page) = await _server.GetAsync(Maps + "?limit=2&labelSelector=k%3Da");
        await CreateAsync("m1a", "a");
        await _server.SendAsync(HttpMethod.Delete, Maps + "/m4", null);
        var names = Names(page).ToList();
        while ((string?)page["metadata"]!["continue"] is { } token)
        {
            (_, page) = await _server.GetAsync(Maps + $"?limit=2&labelSelector=k%3Da&continue={token}");
            names.AddRange(Names(page));
        }

        Assert.Equal(["m0", "m1", "m2", "m3", "m4"], names);
        var (bad, _) = await _server.GetAsync(Maps + "?continue=!!!");
        Assert.Equal(HttpStatusCode.BadRequest, bad);
    }

    [Fact]
    public async Task A_watch_with_a_selector_adds_and_deletes_as_objects_enter_and_leave_it()
    {
        var (_, list) = await _server.GetAsync(Maps);
        var version = (string)list["metadata"]!["resourceVersion"]!;
        await CreateAsync("x", "a");
        await CreateAsync("y", "b");
        await LabelAsync("x", "b");
        await LabelAsync("x", "a");
        await LabelAsync("x", "a", more: "z");
        await _server.SendAsync(HttpMethod.Delete, Maps + "/x", null);
        var events = await ReadAsync($"{Maps}?watch=1&resourceVersion={version}&labelSelector=k%3Da", 5);
        Assert.Equal(["ADDED x", "DELETED x", "ADDED x", "MODIFIED x", "DELETED x"], events.Select(Show));
        var versions = events.Select(item => (string)item["object"]!["metadata"]!["resourceVersion"]!).Select(long.Parse).ToList();
        Assert.Equal(versions.Order(), versions);
    }

    [Fact]
    public async Task Initial_events_end_with_a_bookmark_that_says_so()
    {
        await CreateAsync("x", "a");
        var events = await ReadAsync(
            $"{Maps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", 3);
        Assert.Equal(["ADDED kube-root-ca.crt", "ADDED x", "BOOKMARK "], events.Select(Show));
        Assert.Equal("true", (string)events[2]["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"]!);
    }

    [Fact]
    public async Task A_watch_ends_when_its_time_is_over()
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        using var answer = await _server.SendRawAsync(new HttpRequestMessage(HttpMethod.Get, Maps + "?watch=1&timeoutSeconds=1"));
        await answer.Content.ReadAsStringAsync();
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 10);
    }

    [Fact]
    public async Task Tables_have_the_columns_of_the_kind()
    {
        await CreateAsync("x", "a");
        var (_, table) = await _server.GetAsync(Maps + "/x", TableType);
        Assert.Equal(["Name", "Data", "Age"], table["columnDefinitions"]!.AsArray().Select(column => (string)column!["name"]!));
        Assert.Equal(1, (int)table["rows"]![0]!["cells"]![1]!);
        Assert.Equal("PartialObjectMetadata", (string)table["rows"]![0]!["object"]!["kind"]!);
        var (refused, _) = await _server.GetAsync(Maps, "text/html");
        Assert.Equal(HttpStatusCode.NotAcceptable, refused);
    }

    private static string Show(JsonNode item) => $"{item["type"]} {item["object"]!["metadata"]!["name"]}";

    private static IEnumerable<string> Names(JsonNode list) =>
        list["items"]!.AsArray().Select(item => (string)item!["metadata"]!["name"]!);

    private async Task CreateAsync(string name, string label) => Assert.Equal(HttpStatusCode.Created, (await _server.PostAsync(
        Maps,
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}","labels":{"k":"{{{label}}}"}},"data":{"v":"1"}}""")).Code);

    private Task<(HttpStatusCode Code, JsonNode Body)> LabelAsync(string name, string label, string more = "") => _server.SendAsync(
        HttpMethod.Patch,
        $"{Maps}/{name}",
        $$$$"""{"metadata":{"labels":{"k":"{{{{label}}}}","more":"{{{{more}}}}"}}}""",
        "application/merge-patch+json");

    private async Task<List<JsonNode>> ReadAsync(string path, int count)
    {
        using var answer = await _server.SendRawAsync(new HttpRequestMessage(HttpMethod.Get, path));
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var events = new List<JsonNode>();
        while (events.Count < count)
        {
            events.Add(JsonNode.Parse((await reader.ReadLineAsync(limit.Token))!)!);
        }

        return events;
    }
}
