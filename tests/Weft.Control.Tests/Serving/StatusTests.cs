// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer;
using Weft.Kubernetes;

namespace Weft.Control.Tests.Serving;

/// <summary>What the control plane writes into objects, against the embedded API server.</summary>
public sealed class StatusTests : IAsyncLifetime
{
    private static readonly CancellationToken _none = CancellationToken.None;
    private EmbeddedMesh _mesh = null!;
    private KubernetesClient _client = null!;

    public async Task InitializeAsync()
    {
        // Nobody refuses what is wrong, as on a cluster whose webhook is away.
        _mesh = await EmbeddedMesh.StartAsync(
            AdmissionHooks.None, options => options with { Status = Status.StatusLimits.Default with { Quiet = TimeSpan.FromMilliseconds(250) } });
        _client = _mesh.Client;
        await CreateAsync(Kinds.Namespace, null, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "shop" } });
        await CreateAsync(Kinds.Service, "shop", RunningControl.Service("reviews", 80));
    }

    public async Task DisposeAsync() => await _mesh.DisposeAsync();

    [Fact]
    public async Task An_object_says_that_it_is_in_force_and_what_the_mesh_finds_wrong_and_is_then_left_alone()
    {
        await CreateAsync(Kinds.VirtualService, "shop", RunningControl.Route("reviews", 90));
        var item = await UntilAsync("reviews", i => Condition(i, "Accepted") is not null);
        Assert.Equal(("True", "Valid"), (Condition(item, "Accepted")!.Text("status"), Condition(item, "Accepted")!.Text("reason")));
        Assert.Equal("NoProxies", Condition(item, "Programmed")!.Text("reason"));
        Assert.Equal(1, item.Number("status", "observedGeneration"));
        var message = item.Objects("status", "validationMessages").First();
        Assert.Equal(("IST0101", "ERROR"), (message.Text("type", "code"), message.Text("level")));
        await UntilEventAsync("reviews", e => e.Text("reason") == "ReferencedResourceNotFound" && e.Text("type") == "Warning");

        // Another object makes the writer look at all of them again; this one is not written.
        await CreateAsync(Kinds.VirtualService, "shop", RunningControl.Route("other", 10));
        await UntilAsync("other", i => Condition(i, "Accepted") is not null);
        var later = await _client.GetAsync(Kinds.VirtualService, "shop", "reviews", _none);
        Assert.Equal(item.ResourceVersion(), later.ResourceVersion());

        // The cause goes, and with it the finding.
        await CreateAsync(Kinds.DestinationRule, "shop", RunningControl.Rule("reviews"));
        await UntilAsync("reviews", i => !i.Objects("status", "validationMessages").Any());
    }

    [Fact]
    public async Task A_broken_version_is_told_with_its_reason_and_the_last_good_one_stays()
    {
        await CreateAsync(Kinds.VirtualService, "shop", RunningControl.Route("reviews", 90));
        await UntilAsync("reviews", i => Condition(i, "Accepted")?.Text("status") == "True");
        await _client.PatchAsync(Kinds.VirtualService, "shop", "reviews", JsonNode.Parse("""{"spec":{"http":[{"timeout":"soon"}]}}""")!, _none);
        var item = await UntilAsync("reviews", i => Condition(i, "Accepted")?.Text("status") == "False");
        Assert.Equal("Invalid", Condition(item, "Accepted")!.Text("reason"));
        Assert.EndsWith("Its last good version stays in force.", Condition(item, "Accepted")!.Text("message"), StringComparison.Ordinal);
        Assert.Equal(2, item.Number("status", "observedGeneration"));
        await UntilEventAsync("reviews", e => e.Text("reason") == "Invalid");
    }

    [Fact]
    public async Task A_plugin_and_a_patch_that_nobody_can_run_say_so_in_a_condition_of_their_own()
    {
        await CreateAsync(Kinds.WasmPlugin, "shop", JsonNode.Parse("""{"metadata":{"name":"openid"},"spec":{"url":"oci://registry.example/openid"}}""")!.AsObject());
        await CreateAsync(Kinds.EnvoyFilter, "shop", JsonNode.Parse("""
            {"metadata":{"name":"boot"},"spec":{"configPatches":[{"applyTo":"BOOTSTRAP","patch":{"operation":"MERGE","value":{"x":1}}}]}}
            """)!.AsObject());
        foreach (var (kind, name, code) in new[] { (Kinds.WasmPlugin, "openid", "WEFT2108"), (Kinds.EnvoyFilter, "boot", "WEFT2105") })
        {
            var item = await UntilAsync(kind, name, i => Condition(i, "Applied") is not null);
            Assert.Equal(("False", "NotRunnable"), (Condition(item, "Applied")!.Text("status"), Condition(item, "Applied")!.Text("reason")));
            Assert.Equal("True", Condition(item, "Accepted")!.Text("status"));
            Assert.Contains(item.Objects("status", "validationMessages"), m => m.Text("type", "name") == code);
        }
    }

    private static JsonObject? Condition(JsonObject item, string type) => item.Objects("status", "conditions").FirstOrDefault(c => c.Text("type") == type);

    private Task<JsonObject> UntilAsync(string name, Func<JsonObject, bool> holds) => UntilAsync(Kinds.VirtualService, name, holds);

    private async Task<JsonObject> UntilAsync(ResourceKind kind, string name, Func<JsonObject, bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var item = await _client.GetAsync(kind, "shop", name, patience.Token);
            if (holds(item))
            {
                return item;
            }

            await Task.Delay(20, patience.Token);
        }
    }

    private async Task UntilEventAsync(string name, Func<JsonObject, bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!(await _client.ListAsync(Kinds.Event, "shop", null, patience.Token)).Objects("items").Any(e => e.Text("involvedObject", "name") == name && holds(e)))
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private async Task CreateAsync(ResourceKind kind, string? ns, JsonObject item)
    {
        item["apiVersion"] = kind.ApiVersion;
        item["kind"] = kind.Kind;
        await _client.CreateAsync(kind, ns, item, _none);
    }
}
