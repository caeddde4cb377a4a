// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tests.Http2;
using Weft.Proxy.Upstreams;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Health;

/// <summary>Health checks over real sockets; the interval is short, and tests wait for what follows from the results.</summary>
public sealed class HealthCheckTests
{
    private static readonly HealthCheckPlan _tcp = new(HealthCheckKind.Tcp, "", "", 0, 20, 1000, 2, 3);
    private static readonly HealthCheckPlan _http = _tcp with { Kind = HealthCheckKind.Http, Path = "/healthz", Host = "shop" };

    [Fact]
    public async Task An_endpoint_that_takes_no_connections_is_left_out_until_it_does()
    {
        var gone = TestProxy.FreePort();
        using var well = TestOrigin.Ok("well");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("c")).With(Plans.Cluster("c", gone, well.Port) with { HealthCheck = _tcp }));
        await Flags(proxy, gone, "/failed_active_hc");
        await Flags(proxy, well.Port, "healthy");
        using var client = Peer.Connect(port);
        Assert.All(Enumerable.Range(0, 20), _ => Assert.EndsWith("well", Ask(client), StringComparison.Ordinal));

        using var back = new TestOrigin(peer => peer.Write(TestOrigin.Response(peer.ReadRequest() is null ? "" : "back")), port: gone);
        await Flags(proxy, gone, "healthy");
        await Eventually.HoldsAsync("it is asked again", () => Task.FromResult(Ask(client).EndsWith("back", StringComparison.Ordinal)));
        Assert.True(back.Connections >= 3);
    }

    [Theory]
    [InlineData(200, "healthy")]
    [InlineData(204, "healthy")]
    [InlineData(299, "healthy")]
    [InlineData(300, "/failed_active_hc")]
    [InlineData(404, "/failed_active_hc")]
    [InlineData(503, "/failed_active_hc")]
    public async Task An_http_check_wants_2xx_at_its_path_and_host(int status, string flags)
    {
        using var origin = TestOrigin.Answering(request =>
        {
            Assert.StartsWith("GET /healthz HTTP/1.1\r\nhost: shop\r\n", request, StringComparison.Ordinal);
            return status == 204 ? "HTTP/1.1 204 No Content\r\n\r\n" : TestOrigin.Response("", status);
        });
        using var proxy = new TestProxy(Plans.Http(TestProxy.FreePort(), Plans.Forward("c")).With(Plans.Cluster("c", origin.Port) with { HealthCheck = _http }));
        await Flags(proxy, origin.Port, flags);
    }

    [Theory]
    [InlineData("not http\r\n\r\n")]
    [InlineData("")]
    public async Task An_answer_that_is_none_fails_the_check(string answer)
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            peer.Write(answer);
        });
        using var proxy = new TestProxy(Plans.Http(TestProxy.FreePort(), Plans.Forward("c")).With(Plans.Cluster("c", origin.Port) with { HealthCheck = _http }));
        await Flags(proxy, origin.Port, "/failed_active_hc");
    }

    [Theory]
    [InlineData("\b\u0001", "0", "healthy")]
    [InlineData("\b\u0002", "0", "/failed_active_hc")]
    [InlineData("\b\u0001", "14", "/failed_active_hc")]
    [InlineData("", "0", "/failed_active_hc")]
    [InlineData(null, "5", "/failed_active_hc")]
    public async Task A_grpc_check_wants_SERVING_and_status_0(string? message, string status, string flags)
    {
        using var origin = Http2Peer.Answering((peer, asked) =>
        {
            Assert.Equal("/grpc.health.v1.Health/Check", asked.Head[":path"]);
            Assert.Equal("\0\0\0\0\u0006\n\u0004shop", asked.Body.ToString());
            if (message is null)
            {
                peer.SendHead(asked, end: true, ":status: 200", "content-type: application/grpc", $"grpc-status: {status}");
                return;
            }

            peer.SendHead(asked, end: false, ":status: 200", "content-type: application/grpc");
            peer.Send(asked, $"\0\0\0\0{(char)message.Length}{message}", end: false);
            peer.SendHead(asked, end: true, $"grpc-status: {status}");
        });
        using var proxy = new TestProxy(Plans.Http(TestProxy.FreePort(), Plans.Forward("c")).With(
            Plans.Cluster("c", origin.Port) with { HealthCheck = _http with { Kind = HealthCheckKind.Grpc, Path = "shop" } }));
        await Flags(proxy, origin.Port, flags);
    }

    [Fact]
    public async Task A_check_without_an_answer_fails_when_its_time_is_over()
    {
        using var origin = new TestOrigin(peer => peer.ReadToEnd());
        using var proxy = new TestProxy(Plans.Http(TestProxy.FreePort(), Plans.Forward("c")).With(
            Plans.Cluster("c", origin.Port) with { HealthCheck = _http with { TimeoutMs = 50 } }));
        await Flags(proxy, origin.Port, "/failed_active_hc");
    }

    [Fact]
    public async Task Thresholds_are_counted_in_a_row()
    {
        var answers = new Queue<int>();
        using var origin = TestOrigin.Answering(_ =>
        {
            lock (answers)
            {
                return TestOrigin.Response("", answers.TryDequeue(out var status) ? status : 200);
            }
        });
        var clock = new ShiftedClock();
        using var proxy = new TestProxy(
            Plans.Http(TestProxy.FreePort(), Plans.Forward("c")).With(Plans.Cluster("c", origin.Port) with { HealthCheck = _http with { IntervalMs = 3_600_000 } }),
            options: options => options with { Clock = clock });

        // The first answer decides at once; then two bad ones in a row are needed, and three good ones.
        await Flags(proxy, origin.Port, "healthy");
        await Then(500, "healthy");
        await Then(200, "healthy");
        await Then(500, "healthy");
        await Then(500, "/failed_active_hc");
        await Then(200, "/failed_active_hc");
        await Then(200, "/failed_active_hc");
        await Then(500, "/failed_active_hc");
        await Then(200, "/failed_active_hc");
        await Then(200, "/failed_active_hc");
        await Then(200, "healthy");

        async Task Then(int status, string flags)
        {
            lock (answers)
            {
                answers.Enqueue(status);
            }

            var cluster = proxy.Runtime.Clusters.Single();
            var before = Results(cluster);
            clock.Shift(TimeSpan.FromHours(1.2));
            Assert.Null(proxy.Runtime.OnEveryLoop(_ => null));
            await Eventually.HoldsAsync("the check has its result", () => Task.FromResult(Results(cluster) > before));
            await Flags(proxy, origin.Port, flags);
        }

        static long Results(SharedCluster cluster) =>
            cluster.Breaker.Sum(ClusterFigure.ChecksPassed) + cluster.Breaker.Sum(ClusterFigure.ChecksFailed);
    }

    [Fact]
    public async Task A_newcomer_is_out_until_it_has_passed_and_is_back_when_checks_end()
    {
        using var well = TestOrigin.Ok("well");
        using var release = new ManualResetEventSlim();
        using var late = TestOrigin.Answering(_ =>
        {
            release.Wait(10_000);
            return TestOrigin.Response("late");
        });
        var port = TestProxy.FreePort();
        var cluster = Plans.Cluster("c", well.Port) with { HealthCheck = _http with { TimeoutMs = 10_000 } };
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("c")).With(cluster));
        await Flags(proxy, well.Port, "healthy");
        var both = cluster with { StaticEndpoints = [.. cluster.StaticEndpoints, .. Plans.Cluster("d", late.Port).StaticEndpoints] };
        Assert.Null(proxy.Runtime.Apply(Plans.Http(port, Plans.Forward("c")).With(both)));
        await Flags(proxy, late.Port, "/failed_active_hc/pending_active_hc");
        using var client = Peer.Connect(port);
        Assert.All(Enumerable.Range(0, 20), _ => Assert.EndsWith("well", Ask(client), StringComparison.Ordinal));
        release.Set();
        await Flags(proxy, late.Port, "healthy");
        Assert.Null(proxy.Runtime.Apply(Plans.Http(port, Plans.Forward("c")).With(both with { HealthCheck = null })));
        await Flags(proxy, late.Port, "healthy");
    }

    [Fact]
    public async Task While_no_endpoint_has_passed_all_are_used()
    {
        using var arrived = new ManualResetEventSlim();
        using var origin = TestOrigin.Answering(request =>
        {
            if (request.StartsWith("GET /healthz", StringComparison.Ordinal))
            {
                arrived.Set();
                new ManualResetEventSlim().Wait(10_000);
            }

            return TestOrigin.Response("used");
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("c")).With(
            Plans.Cluster("c", origin.Port) with { HealthCheck = _http with { TimeoutMs = 60_000 } }));
        Assert.True(arrived.Wait(10_000));
        await Flags(proxy, origin.Port, "/pending_active_hc");
        using var client = Peer.Connect(port);
        Assert.EndsWith("used", Ask(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_count_the_checks_and_the_members()
    {
        using var well = TestOrigin.Ok("well");
        using var proxy = new TestProxy(Plans.Http(TestProxy.FreePort(), Plans.Forward("c")).With(
            Plans.Cluster("c", well.Port, TestProxy.FreePort()) with { HealthCheck = _tcp }));
        await Eventually.HoldsAsync("both were checked", () => Task.FromResult(
            proxy.Runtime.Clusters.Single().Health.All.All(endpoint => !endpoint.IsUnchecked)));
        var text = new MetricsText();
        ClusterMetrics.Add(text, proxy.Runtime.Clusters);
        Assert.Contains("envoy_cluster_membership_healthy{cluster_name=\"c\"} 1\n", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("envoy_cluster_membership_total{cluster_name=\"c\"} 2\n", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("envoy_cluster_health_check_success{cluster_name=\"c\"} 0\n", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("envoy_cluster_health_check_failure{cluster_name=\"c\"} 0\n", text.ToString(), StringComparison.Ordinal);
    }

    private static Task Flags(TestProxy proxy, int port, string flags) => Eventually.HoldsAsync(
        $"127.0.0.1:{port} is {flags}",
        () => Task.FromResult(Clusters(proxy).Contains($"c::127.0.0.1:{port}::health_flags::{flags}\n", StringComparison.Ordinal)),
        () => Task.FromResult(Clusters(proxy)));

    private static string Clusters(TestProxy proxy)
    {
        var text = new StringBuilder();
        proxy.Runtime.DescribeClusters(text);
        return text.ToString();
    }

    private static string Ask(Peer client)
    {
        client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        return client.ReadMessage()!;
    }
}
