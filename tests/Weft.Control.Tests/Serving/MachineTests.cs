// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Control.Serving;
using Weft.Kubernetes;
using Weft.Testing;

namespace Weft.Control.Tests.Serving;

/// <summary>Machines that are no pods and register themselves.</summary>
public sealed class MachineTests
{
    [Fact]
    public async Task A_machine_is_an_entry_of_its_group_while_its_proxy_is_connected()
    {
        await using var running = await StartAsync();
        await using (var proxy = await TestProxy.ConnectAsync(running.Xds, "vm1", token: "shop/db/vm1", address: "10.2.0.1", group: "machines"))
        {
            // It is served as what it has become: the Service selects it, so its port has chains.
            await proxy.UntilAsync(session => session.Plan?.Clusters.Any(c => c.Name == "inbound|5432||") == true);
            var entry = running.Api.Get(Kinds.WorkloadEntry, "shop", "machines-10.2.0.1")!;
            Assert.Equal(("10.2.0.1", "db"), (entry.Text("spec", "address"), entry.Text("spec", "serviceAccount")));
            Assert.Equal(("db", "gold"), (entry.Text("spec", "labels", "app"), entry.Text("spec", "labels", "tier")));
            Assert.Equal(("machines", "value"), (entry.Annotation("istio.io/autoRegistrationGroup"), entry.Annotation("note")));
        }

        await Eventually.HoldsAsync("the entry is gone", () => Task.FromResult(running.Api.Get(Kinds.WorkloadEntry, "shop", "machines-10.2.0.1") is null));
    }

    [Theory]
    [InlineData("missing", "shop/db/vm1", "There is no WorkloadGroup 'shop/missing'")]
    [InlineData("machines", "shop/web/vm1", "is for service account 'db'")]
    [InlineData("taken", "shop/db/vm1", "was written by somebody else")]
    public async Task A_proxy_that_may_not_be_of_the_group_is_refused(string group, string token, string reason)
    {
        await using var running = await StartAsync();
        await using var proxy = await TestProxy.ConnectAsync(running.Xds, "vm1", token: token, address: "10.2.0.1", group: group);
        Assert.Null(await proxy.ReceiveAsync());
        Assert.Equal("7", proxy.Status.Status);
        Assert.Contains(reason, proxy.Status.Message, StringComparison.Ordinal);
        Assert.Null(running.Api.Get(Kinds.WorkloadEntry, "shop", "machines-10.2.0.1"));
    }

    [Fact]
    public async Task A_machine_that_does_not_come_back_to_a_new_control_plane_loses_its_entry_and_others_keep_theirs()
    {
        await using var running = await StartAsync();
        await running.StopPlaneAsync();
        running.Api.Put(Kinds.WorkloadEntry, JsonNode.Parse(
            """
            {"metadata":{"name":"machines-10.2.0.7","namespace":"shop","annotations":{"istio.io/autoRegistrationGroup":"machines","istio.io/workloadController":"weft-control"}},
             "spec":{"address":"10.2.0.7"}}
            """)!.AsObject());
        await running.StartPlaneAsync();
        await Eventually.HoldsAsync("the entry is gone", () => Task.FromResult(running.Api.Get(Kinds.WorkloadEntry, "shop", "machines-10.2.0.7") is null));
        Assert.NotNull(running.Api.Get(Kinds.WorkloadEntry, "shop", "taken-10.2.0.1"));
    }

    private static async Task<RunningControl> StartAsync()
    {
        var running = await RunningControl.StartAsync(api =>
        {
            api.Put(Kinds.WorkloadGroup, Group("machines"));
            api.Put(Kinds.WorkloadGroup, Group("taken"));
            api.Put(Kinds.WorkloadEntry, JsonNode.Parse("""{"metadata":{"name":"taken-10.2.0.1","namespace":"shop"},"spec":{"address":"10.9.9.9"}}""")!.AsObject());
            api.Put(Kinds.Service, JsonNode.Parse(
                """
                {"apiVersion":"v1","kind":"Service","metadata":{"name":"db","namespace":"shop"},
                 "spec":{"clusterIP":"10.96.0.70","selector":{"app":"db"},"ports":[{"name":"tcp-sql","port":3306}]}}
                """)!.AsObject());
        }, ServingLimits.Default with { RegistrationGrace = TimeSpan.FromMilliseconds(50), ReturnTime = TimeSpan.FromMilliseconds(50) });
        return running;
    }

    private static JsonObject Group(string name) => JsonNode.Parse(
        $$"""
        {"metadata":{"name":"{{name}}","namespace":"shop"},
         "spec":{"metadata":{"labels":{"app":"db"},"annotations":{"note":"value"} },
                 "template":{"serviceAccount":"db","labels":{"app":"other","tier":"gold"},"ports":{"tcp-sql":5432} } } }
        """)!.AsObject();
}
