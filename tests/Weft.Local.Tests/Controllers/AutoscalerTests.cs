// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Local.Controllers.Scaling;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class AutoscalerTests : IAsyncLifetime
{
    private static readonly DateTimeOffset _noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Fact]
    public async Task Busy_pods_become_more_and_idle_ones_fewer_after_a_while()
    {
        _running.Metrics.Cpu = 0.2;
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 1, "web:1").Replace(
            "\"image\":\"web:1\"", "\"image\":\"web:1\",\"resources\":{\"requests\":{\"cpu\":\"100m\"}}", StringComparison.Ordinal));
        await _running.UntilRolledOutAsync("web");
        await CreateAsync("""{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50} } }""");
        // 200 % of the request is four times the target; four more pods at once are allowed.
        await UntilReplicasAsync(4);
        await _running.UntilAsync("its status says so", async () =>
            Conditions.Find(await _running.GetAsync(Kinds.HorizontalPodAutoscaler, "web"), "AbleToScale")?.Text("reason") == "SucceededRescale");
        var scaler = await _running.GetAsync(Kinds.HorizontalPodAutoscaler, "web");
        Assert.Equal(200, scaler.Objects("status", "currentMetrics").Single().Number("resource", "current", "averageUtilization"));
        await _running.UntilAsync("an event says so", async () => (await _running.EventsAsync("web"))
            .Contains("SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target", StringComparer.Ordinal));

        _running.Metrics.Cpu = 0.01;
        await _running.UntilRolledOutAsync("web");
        await _running.UntilLaterAsync("it waits", async () =>
            Conditions.Find(await _running.GetAsync(Kinds.HorizontalPodAutoscaler, "web"), "AbleToScale")?.Text("reason") == "ScaleDownStabilized");
        Assert.Equal(4, (await _running.GetAsync(Kinds.Deployment, "web")).Number("spec", "replicas"));
        _running.Clock.Advance(TimeSpan.FromMinutes(6));
        await UntilReplicasAsync(1);
    }

    [Fact]
    public async Task Requests_per_second_scale_up_to_the_most_and_an_unknown_metric_is_named()
    {
        _running.Metrics.Requests = 100;
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 2, "web:1"));
        await _running.UntilRolledOutAsync("web");
        await CreateAsync("""{"type":"Pods","pods":{"metric":{"name":"requests_per_second"},"target":{"type":"AverageValue","averageValue":"10"} } }""");
        await UntilReplicasAsync(5);
        await _running.UntilAsync("the bound is told", async () =>
            Conditions.Find(await _running.GetAsync(Kinds.HorizontalPodAutoscaler, "web"), "ScalingLimited")?.Text("reason") == "TooManyReplicas");

        _running.Metrics.Requests = null;
        await _running.UntilLaterAsync("the metric is missed", async () =>
            Conditions.Find(await _running.GetAsync(Kinds.HorizontalPodAutoscaler, "web"), "ScalingActive") is { } active
                && active.Text("status") == "False" && active.Text("reason") == "FailedGetPodsMetric");
        Assert.Equal(5, (await _running.GetAsync(Kinds.Deployment, "web")).Number("spec", "replicas"));
    }

    [Theory]
    [InlineData(1.05, 4, 4, 4, 4)]
    [InlineData(2, 4, 4, 4, 8)]
    [InlineData(0.5, 4, 4, 4, 2)]
    [InlineData(2, 1, 4, 4, 4)]
    [InlineData(4, 2, 4, 4, 8)]
    [InlineData(0.1, 2, 4, 4, 3)]
    public void Replicas_follow_the_ratio_and_pods_without_a_value_make_it_careful(double ratio, int measured, int all, long current, long wanted) =>
        Assert.Equal(wanted, Pods(all, current, 0.1, 0.1).Replicas(ratio, measured));

    [Fact]
    public void A_tolerance_of_ones_own_counts_in_its_direction()
    {
        var scaler = JsonNode.Parse("""{"spec":{"behavior":{"scaleUp":{"tolerance":"0.02"},"scaleDown":{"tolerance":"500m"} } } }""")!.AsObject();
        Assert.Equal((0.02, 0.5), (ScalingRules.Up(scaler).Tolerance, ScalingRules.Down(scaler).Tolerance));
        Assert.Equal((0.1, 0.1), (ScalingRules.Up([]).Tolerance, ScalingRules.Down([]).Tolerance));
        Assert.Equal(11, Pods(10, 10, 0.02, 0.5).Replicas(1.05, 10));
        Assert.Equal(10, Pods(10, 10, 0.1, 0.5).Replicas(1.05, 10));
        Assert.Equal(10, Pods(10, 10, 0.1, 0.5).Replicas(0.6, 10));
        Assert.Equal(4, Pods(10, 10, 0.1, 0.5).Replicas(0.4, 10));
    }

    [Fact]
    public void Without_behavior_a_target_may_double_or_get_four_more_and_shrinks_after_five_minutes_only()
    {
        var past = new ScalingPast();
        var (up, down) = (ScalingRules.Up([]), ScalingRules.Down([]));
        Assert.Equal((5, 40), (up.UpLimit(1, past, _noon), up.UpLimit(20, past, _noon)));
        Assert.Equal(0, down.DownLimit(20, past, _noon));
        Assert.Equal((TimeSpan.Zero, TimeSpan.FromMinutes(5)), (up.Window, down.Window));

        // The number that is there when an autoscaler comes counts as recommended.
        var plan = new AutoscalePlan(JsonNode.Parse("""{"spec":{"minReplicas":1,"maxReplicas":9}}""")!.AsObject(), past);
        long Settle(TimeSpan at) => plan.Settle(5, 1, new AutoscalerStatus([], _noon + at), _noon + at);
        Assert.Equal(5, Settle(TimeSpan.Zero));
        Assert.Equal(5, Settle(TimeSpan.FromSeconds(15)));
        Assert.Equal(5, Settle(TimeSpan.FromSeconds(299)));
        Assert.Equal(1, Settle(TimeSpan.FromSeconds(301)));
    }

    [Fact]
    public void Policies_bound_the_change_of_their_period()
    {
        var scaler = JsonNode.Parse("""
            {"spec":{"behavior":{"scaleUp":{"policies":[{"type":"Pods","value":2,"periodSeconds":60}]},
              "scaleDown":{"selectPolicy":"Min","policies":[{"type":"Pods","value":1,"periodSeconds":60},{"type":"Percent","value":50,"periodSeconds":60}]} } } }
            """)!.AsObject();
        var past = new ScalingPast();
        Assert.Equal(6, ScalingRules.Up(scaler).UpLimit(4, past, _noon));
        past.Scale(2, _noon);
        Assert.Equal(6, ScalingRules.Up(scaler).UpLimit(6, past, _noon.AddSeconds(30)));
        Assert.Equal(8, ScalingRules.Up(scaler).UpLimit(6, past, _noon.AddSeconds(61)));
        Assert.Equal(5, ScalingRules.Down(scaler).DownLimit(6, past, _noon.AddSeconds(61)));
        var disabled = JsonNode.Parse("""{"spec":{"behavior":{"scaleDown":{"selectPolicy":"Disabled"}}}}""")!.AsObject();
        Assert.Equal(6, ScalingRules.Down(disabled).DownLimit(6, past, _noon));
    }

    [Fact]
    public void The_highest_recommendation_of_the_window_holds_a_shrinking_target()
    {
        var past = new ScalingPast();
        past.Recommend(8, _noon);
        past.Recommend(3, _noon.AddMinutes(2));
        var windows = (TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Assert.Equal(8, past.Stabilize(8, 2, windows, _noon.AddMinutes(4)));
        Assert.Equal(3, past.Stabilize(8, 2, windows, _noon.AddMinutes(6)));
        Assert.Equal(12, past.Stabilize(8, 12, windows, _noon.AddMinutes(6)));
    }

    [Fact]
    public void Requests_are_those_that_the_pod_served() => Assert.Equal(42, NodeMetrics.RequestsIn("""
        # TYPE istio_requests_total counter
        istio_requests_total{reporter="destination",response_code="200"} 40
        istio_requests_total{reporter="destination",response_code="503"} 2
        istio_requests_total{reporter="source",response_code="200"} 7
        istio_requests_total_other{reporter="destination"} 9
        """));

    private static ScaledPods Pods(int all, long current, double up, double down) =>
        new([.. Enumerable.Range(0, all).Select(_ => new JsonObject())], current, (up, down));

    private Task<JsonObject> CreateAsync(string metric) => _running.CreateAsync(Kinds.HorizontalPodAutoscaler, $$$"""
        {"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"web","namespace":"shop"},
         "spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"minReplicas":1,"maxReplicas":5,"metrics":[{{{metric}}}]} }
        """);

    private Task UntilReplicasAsync(int count) => _running.UntilAsync(
        $"{count} replicas",
        async () => (await _running.GetAsync(Kinds.Deployment, "web")).Number("spec", "replicas") == count,
        async () => (await _running.GetAsync(Kinds.HorizontalPodAutoscaler, "web")).ToJsonString());
}
