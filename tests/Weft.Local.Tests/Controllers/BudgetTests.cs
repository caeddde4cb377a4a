// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class BudgetTests : IAsyncLifetime
{
    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Theory]
    [InlineData("\"minAvailable\":2", 2, 1)]
    [InlineData("\"minAvailable\":\"50%\"", 2, 1)]
    [InlineData("\"maxUnavailable\":\"34%\"", 1, 2)]
    [InlineData("\"maxUnavailable\":0", 3, 0)]
    public async Task A_budget_says_how_many_pods_may_go(string bound, long desired, long allowed)
    {
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 3, "web:1"));
        await _running.UntilRolledOutAsync("web");
        await CreateAsync(bound);
        await _running.UntilAsync("the status is there", async () => (await BudgetAsync()).Number("status", "expectedPods") == 3);
        var status = await BudgetAsync();
        Assert.Equal((desired, 3, allowed), (status.Number("status", "desiredHealthy"), status.Number("status", "currentHealthy"), status.Number("status", "disruptionsAllowed")));
        Assert.Equal(allowed > 0 ? "SufficientPods" : "InsufficientPods", Conditions.Find(status, "DisruptionAllowed")?.Text("reason"));
    }

    [Fact]
    public async Task A_share_of_pods_that_nobody_counts_allows_nothing()
    {
        await _running.CreateAsync(Kinds.Pod, """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"lone","namespace":"shop","labels":{"app":"web"}},"spec":{"containers":[]}}""");
        await CreateAsync("\"minAvailable\":\"10%\"");
        await _running.UntilAsync("it is told", async () => Conditions.Find(await BudgetAsync(), "DisruptionAllowed")?.Text("reason") == "SyncFailed");
        Assert.Equal(0, (await BudgetAsync()).Number("status", "disruptionsAllowed"));
        Assert.Equal("found no controller ref for pod \"lone\"", Conditions.Find(await BudgetAsync(), "DisruptionAllowed")?.Text("message"));
    }

    private Task<JsonObject> BudgetAsync() => _running.GetAsync(Kinds.PodDisruptionBudget, "web");

    private Task<JsonObject> CreateAsync(string bound) => _running.CreateAsync(Kinds.PodDisruptionBudget, $$$"""
        {"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"web","namespace":"shop"},"spec":{ {{{bound}}},"selector":{"matchLabels":{"app":"web"} } } }
        """);
}
