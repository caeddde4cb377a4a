// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Who belongs to whom when something is deleted, what a namespace that ends says of itself, and how long events stay.</summary>
public sealed class CollectingTests : IAsyncLifetime
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Foreground = """{"propagationPolicy":"Foreground"}""";

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task An_owner_in_the_foreground_waits_for_dependents_that_block_it_and_for_no_others()
    {
        var uid = await MapAsync("owner");
        await MapAsync("blocks", owners: Reference("owner", uid, blocks: true), finalizer: "x.test/f");
        await MapAsync("free", owners: Reference("owner", uid, blocks: false), finalizer: "x.test/f");
        await _server.SendAsync(HttpMethod.Delete, Maps + "/owner", Foreground);
        await MarkedAsync("blocks");
        await MarkedAsync("free");
        Assert.Equal(HttpStatusCode.OK, (await _server.GetAsync(Maps + "/owner")).Code);
        await ReleaseAsync("blocks");
        await GoneAsync("owner");
        Assert.Equal(HttpStatusCode.OK, (await _server.GetAsync(Maps + "/free")).Code);
        await ReleaseAsync("free");
        await GoneAsync("free");
    }

    [Fact]
    public async Task Foreground_goes_down_the_generations()
    {
        var owner = await MapAsync("owner");
        var child = await MapAsync("child", owners: Reference("owner", owner, blocks: true));
        await MapAsync("grandchild", owners: Reference("child", child, blocks: true), finalizer: "x.test/f");
        await _server.SendAsync(HttpMethod.Delete, Maps + "/owner", Foreground);
        await MarkedAsync("grandchild");
        var (_, waiting) = await _server.GetAsync(Maps + "/child");
        Assert.Equal(["foregroundDeletion"], waiting["metadata"]!["finalizers"]!.AsArray().Select(name => (string)name!));
        await ReleaseAsync("grandchild");
        await GoneAsync("owner");
        await GoneAsync("child");
    }

    [Fact]
    public async Task Two_that_wait_for_each_other_do_not_wait_for_ever()
    {
        var a = await MapAsync("a");
        var b = await MapAsync("b", owners: Reference("a", a, blocks: true));
        await PatchAsync("a", new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = Reference("b", b, blocks: true) } });
        await _server.SendAsync(HttpMethod.Delete, Maps + "/a", Foreground);
        await GoneAsync("a");
        await GoneAsync("b");
    }

    [Fact]
    public async Task A_dependent_with_an_owner_left_stays_and_forgets_the_one_that_is_gone()
    {
        var one = await MapAsync("one");
        var two = await MapAsync("two");
        var both = new JsonArray(Reference("one", one, blocks: true)[0]!.DeepClone(), Reference("two", two, blocks: true)[0]!.DeepClone());
        await MapAsync("child", owners: both);
        await _server.SendAsync(HttpMethod.Delete, Maps + "/one", null);
        await Eventually.HoldsAsync("only the owner that is left is named", async () =>
        {
            var (_, child) = await _server.GetAsync(Maps + "/child");
            return child["metadata"]!["ownerReferences"]!.AsArray().Select(item => (string)item!["uid"]!).SequenceEqual([two], StringComparer.Ordinal);
        });
        await _server.SendAsync(HttpMethod.Delete, Maps + "/two", null);
        await GoneAsync("child");
    }

    [Fact]
    public async Task An_owner_in_another_namespace_is_none()
    {
        await _server.PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"other"}}""");
        var (_, owner) = await _server.PostAsync("/api/v1/namespaces/other/configmaps", MapText("owner", null, null));
        await MapAsync("child", owners: Reference("owner", (string)owner["metadata"]!["uid"]!, blocks: true));
        await GoneAsync("child");
    }

    [Fact]
    public async Task A_namespace_that_cannot_end_says_what_keeps_it()
    {
        await _server.PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}""");
        await _server.PostAsync("/api/v1/namespaces/n/configmaps", MapText("kept", null, "x.test/f"));
        await _server.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/n", null);
        JsonNode ns = new JsonObject();
        await Eventually.HoldsAsync("its conditions are written", async () =>
        {
            (_, ns) = await _server.GetAsync("/api/v1/namespaces/n");
            return ns["status"]!["conditions"] is JsonArray conditions
                && conditions.Any(item => (string)item!["message"]! is "Some resources are remaining: configmaps. has 1 resource instances");
        });
        var said = ns["status"]!["conditions"]!.AsArray().Select(item => $"{item!["type"]} {item["status"]} {item["reason"]}");
        Assert.Equal(
            [
                "NamespaceDeletionDiscoveryFailure False ResourcesDiscovered", "NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions",
                "NamespaceDeletionContentFailure False ContentDeleted", "NamespaceContentRemaining True SomeResourcesRemain",
                "NamespaceFinalizersRemaining True SomeFinalizersRemain",
            ],
            said);
        Assert.Contains(
            "Some content in the namespace has finalizers remaining: x.test/f in 1 resource instances", ns.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_is_one_object_under_two_groups_and_goes_an_hour_after_it_was_last_written()
    {
        var clock = new ManualClock();
        await using var server = await TestServer.StartAsync(clock: clock);
        const string Core = "/api/v1/namespaces/default/events";
        const string Newer = "/apis/events.k8s.io/v1/namespaces/default/events";
        var (code, made) = await server.PostAsync(
            Newer,
            """
            {"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"e"},"eventTime":"2026-01-01T00:00:00.000000Z","type":"Normal","reason":"Seen",
             "action":"Looking","note":"it is there","regarding":{"kind":"Pod","namespace":"default","name":"p"},"reportingController":"test.example/c","reportingInstance":"c-1"}
            """);
        Assert.True(code == HttpStatusCode.Created, made.ToJsonString());
        Assert.Equal(("it is there", "events.k8s.io/v1"), ((string)made["note"]!, (string)made["apiVersion"]!));
        var (_, core) = await server.GetAsync(Core + "/e");
        Assert.Equal(("it is there", "p", "test.example/c"), ((string)core["message"]!, (string)core["involvedObject"]!["name"]!, (string)core["reportingComponent"]!));
        var (_, found) = await server.GetAsync(Newer + "?fieldSelector=regarding.name%3Dp");
        Assert.Equal("p", (string)Assert.Single(found["items"]!.AsArray())!["regarding"]!["name"]!);
        var (refused, why) = await server.PostAsync(Newer, """{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"x"},"type":"Odd"}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused);
        Assert.Contains("reportingController: Required value", (string)why["message"]!, StringComparison.Ordinal);

        clock.Advance(TimeSpan.FromMinutes(50));
        await server.SendAsync(HttpMethod.Patch, Newer + "/e", """{"note":"still there"}""", "application/merge-patch+json");
        await server.PostAsync(Core, """{"apiVersion":"v1","kind":"Event","metadata":{"name":"later"},"involvedObject":{"kind":"Pod","namespace":"default","name":"p"}}""");
        clock.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal("still there", (string)(await server.GetAsync(Core + "/e")).Body["message"]!);
        clock.Advance(TimeSpan.FromMinutes(40));
        await Eventually.HoldsAsync("both are gone", async () =>
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            return (await server.GetAsync(Core)).Body["items"]!.AsArray().Count == 0;
        });
    }

    private static JsonArray Reference(string name, string uid, bool blocks) => new(new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["name"] = name,
        ["uid"] = uid,
        ["blockOwnerDeletion"] = blocks,
    });

    private static string MapText(string name, JsonArray? owners, string? finalizer)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (owners is not null)
        {
            metadata["ownerReferences"] = owners;
        }

        if (finalizer is not null)
        {
            metadata["finalizers"] = new JsonArray(finalizer);
        }

        return new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = metadata }.ToJsonString();
    }

    private async Task<string> MapAsync(string name, JsonArray? owners = null, string? finalizer = null)
    {
        var (code, made) = await _server.PostAsync(Maps, MapText(name, owners, finalizer));
        Assert.True(code == HttpStatusCode.Created, made.ToJsonString());
        return (string)made["metadata"]!["uid"]!;
    }

    private Task<(HttpStatusCode Code, JsonNode Body)> PatchAsync(string name, JsonObject patch) =>
        _server.SendAsync(HttpMethod.Patch, $"{Maps}/{name}", patch.ToJsonString(), "application/merge-patch+json");

    private Task<(HttpStatusCode Code, JsonNode Body)> ReleaseAsync(string name) => PatchAsync(name, new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = null } });

    private Task GoneAsync(string name) => Eventually.HoldsAsync(
        $"{name} is gone", async () => (await _server.GetAsync($"{Maps}/{name}")).Code == HttpStatusCode.NotFound);

    private Task MarkedAsync(string name) => Eventually.HoldsAsync(
        $"{name} is being deleted", async () => (await _server.GetAsync($"{Maps}/{name}")).Body["metadata"]!["deletionTimestamp"] is not null);
}
