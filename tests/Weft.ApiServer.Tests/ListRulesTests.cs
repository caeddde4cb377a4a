// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Versions, chunks and their refusals, in lists and watches, with the codes and words of a real server.</summary>
public sealed class ListRulesTests : IAsyncLifetime
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Refused = "ListOptions.meta.k8s.io \"\" is invalid: ";

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("?resourceVersionMatch=Exact", "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")]
    [InlineData("?resourceVersionMatch=Exact&resourceVersion=0", "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")]
    [InlineData("?resourceVersionMatch=Older&resourceVersion=1", "resourceVersionMatch: Unsupported value: \"Older\": supported values: \"Exact\", \"NotOlderThan\", \"\"")]
    [InlineData("?sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list")]
    [InlineData("?watch=1&sendInitialEvents=true", "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")]
    [InlineData("?watch=1&resourceVersionMatch=NotOlderThan", "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")]
    public async Task Options_that_contradict_each_other_are_invalid(string query, string why)
    {
        var (code, status) = await _server.GetAsync(Maps + query);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, Refused + why), (code, (string)status["message"]!));
    }

    [Theory]
    [InlineData("?resourceVersion=x")]
    [InlineData("?watch=1&resourceVersion=x")]
    public async Task What_is_no_version_is_invalid(string query)
    {
        var (code, status) = await _server.GetAsync(Maps + query);
        Assert.Equal(
            (HttpStatusCode.UnprocessableEntity, "configmaps \"\" is invalid: resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax"),
            (code, (string)status["message"]!));
    }

    [Theory]
    [InlineData("?limit=abc", "strconv.ParseInt: parsing \"abc\": invalid syntax")]
    [InlineData("?limit=1&continue=bad", "invalid continue token: continue key is not valid: ")]
    [InlineData("?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjU1LCJzdGFydCI6ImcxXHUwMDAwIn0&resourceVersion=5", "specifying resource version is not allowed when using continue")]
    public async Task What_cannot_be_read_is_a_bad_request(string query, string why)
    {
        var (code, status) = await _server.GetAsync(Maps + query);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.StartsWith(why, (string)status["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exact_list_shows_its_version_and_one_that_is_not_older_shows_the_present()
    {
        await CreateAsync("a");
        var then = await VersionAsync();
        await CreateAsync("b");
        await _server.SendAsync(HttpMethod.Delete, Maps + "/a", null);
        var (_, exact) = await _server.GetAsync($"{Maps}?resourceVersion={then}&resourceVersionMatch=Exact");
        Assert.Equal(["a", "kube-root-ca.crt"], Names(exact));
        Assert.Equal($"{then}", (string)exact["metadata"]!["resourceVersion"]!);
        var (_, newer) = await _server.GetAsync($"{Maps}?resourceVersion={then}&resourceVersionMatch=NotOlderThan");
        Assert.Equal(["b", "kube-root-ca.crt"], Names(newer));
        var (_, legacy) = await _server.GetAsync($"{Maps}?resourceVersion={then}&limit=1");
        Assert.Equal(["a"], Names(legacy));
    }

    [Fact]
    public async Task A_version_that_nobody_has_reached_is_too_large()
    {
        var (code, status) = await _server.GetAsync(Maps + "?resourceVersion=99999999");
        Assert.Equal(HttpStatusCode.GatewayTimeout, code);
        Assert.StartsWith("Timeout: Too large resource version: 99999999, current: ", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Equal("ResourceVersionTooLarge", (string)status["details"]!["causes"]![0]!["reason"]!);
        Assert.Equal(1, (int)status["details"]!["retryAfterSeconds"]!);
    }

    [Fact]
    public async Task What_history_has_forgotten_is_gone_and_a_chunked_list_may_go_on_inconsistently()
    {
        await CreateAsync("a");
        await CreateAsync("b");
        await CreateAsync("c");
        var (_, first) = await _server.GetAsync(Maps + "?limit=1");
        var token = (string)first["metadata"]!["continue"]!;
        Assert.Equal("a\0", (string)JsonNode.Parse(Decode(token))!["start"]!);
        var old = (string)first["metadata"]!["resourceVersion"]!;
        await ForgetAsync();

        var (gone, status) = await _server.GetAsync($"{Maps}?limit=2&continue={token}");
        Assert.Equal((HttpStatusCode.Gone, "Expired"), (gone, (string)status["reason"]!));
        Assert.StartsWith("The provided continue parameter is too old to display a consistent list result. You can start", (string)status["message"]!, StringComparison.Ordinal);
        var (_, rest) = await _server.GetAsync($"{Maps}?continue={(string)status["metadata"]!["continue"]!}");
        Assert.Equal(["b", "c", "kube-root-ca.crt"], Names(rest));

        var (exact, why) = await _server.GetAsync($"{Maps}?resourceVersion={old}&resourceVersionMatch=Exact");
        Assert.Equal((HttpStatusCode.Gone, "The resourceVersion for the provided list is too old."), (exact, (string)why["message"]!));
        var (watch, error) = await _server.GetAsync($"{Maps}?watch=1&resourceVersion={old}");
        Assert.Equal((HttpStatusCode.OK, "ERROR", 410), (watch, (string)error["type"]!, (int)error["object"]!["code"]!));
        Assert.StartsWith($"too old resource version: {old} (", (string)error["object"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_are_in_the_order_of_their_full_names()
    {
        foreach (var ns in new[] { "a", "a-b", "ab" })
        {
            await _server.PostAsync("/api/v1/namespaces", $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{ns}}}"}}""");
        }

        var (_, list) = await _server.GetAsync("/api/v1/serviceaccounts");
        var namespaces = list["items"]!.AsArray().Select(item => (string)item!["metadata"]!["namespace"]!).Where(ns => ns.StartsWith('a')).Distinct();
        Assert.Equal(["a-b", "a", "ab"], namespaces);
    }

    [Fact]
    public async Task A_bookmark_says_how_far_the_whole_store_has_come()
    {
        var clock = new Weft.Testing.ManualClock();
        await using var server = await TestServer.StartAsync(clock: clock);
        var (_, list) = await server.GetAsync(Maps);
        var from = (string)list["metadata"]!["resourceVersion"]!;
        using var answer = await server.SendRawAsync(new HttpRequestMessage(
            HttpMethod.Get, $"{Maps}?watch=1&allowWatchBookmarks=true&resourceVersion={from}&fieldSelector=metadata.name%3Dnobody"));
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var (_, made) = await server.PostAsync("/api/v1/namespaces/default/secrets", """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}""");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var line = reader.ReadLineAsync(limit.Token).AsTask();
        await Weft.Testing.Eventually.HoldsAsync("a bookmark comes", () =>
        {
            clock.Advance(TimeSpan.FromSeconds(30));
            return Task.FromResult(line.IsCompleted);
        });

        var bookmark = JsonNode.Parse((await line)!)!;
        Assert.Equal("BOOKMARK", (string)bookmark["type"]!);
        Assert.Equal((string)made["metadata"]!["resourceVersion"]!, (string)bookmark["object"]!["metadata"]!["resourceVersion"]!);
    }

    /// <summary>So many writes that the history no longer reaches back to before them.</summary>
    private async Task ForgetAsync()
    {
        var (_, made) = await _server.PostAsync(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"counter"},"data":{"n":"0"}}""");
        var store = _server.Store;
        for (var i = 0; i <= ApiLimits.HistoryLength; i++)
        {
            var found = store.Find("configmaps", "default", "counter")!;
            store.TryReplace("configmaps", found.Parse(), found.Version);
        }

        Assert.NotNull(made["metadata"]);
        await _server.SendAsync(HttpMethod.Delete, Maps + "/counter", null);
    }

    private async Task<long> VersionAsync()
    {
        var (_, list) = await _server.GetAsync(Maps);
        return long.Parse((string)list["metadata"]!["resourceVersion"]!, System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task CreateAsync(string name) => await _server.PostAsync(Maps, $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"}}""");

    private static string Decode(string token) => Encoding.UTF8.GetString(
        Convert.FromBase64String(token.Replace('-', '+').Replace('_', '/').PadRight((token.Length + 3) / 4 * 4, '=')));

    private static IEnumerable<string> Names(JsonNode list) => list["items"]!.AsArray().Select(item => (string)item!["metadata"]!["name"]!);
}
