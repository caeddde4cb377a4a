// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Telemetry;
using Xunit;

namespace Weft.Proxy.Tests.Telemetry;

public sealed class LoopMetricsTests
{
    private static readonly WorkloadNamePlan _own =
        new("productpage-v1", "shop", "productpage", "v1", "Kubernetes", "productpage", "productpage", "v1");

    private static readonly WorkloadNamePlan _peer =
        new("reviews-v2", "shop", "reviews", "v2", "Kubernetes", "reviews", "reviews", "v2");

    private readonly LoopMetrics _metrics = new(_own);

    [Fact]
    public void A_request_at_the_client_has_exactly_the_labels_of_the_contract()
    {
        _metrics.Count(Request());
        Assert.Equal(
            "reporter=\"source\",source_workload=\"productpage-v1\",source_canonical_service=\"productpage\","
            + "source_canonical_revision=\"v1\",source_workload_namespace=\"shop\","
            + "source_principal=\"spiffe://cluster.local/ns/shop/sa/productpage\",source_app=\"productpage\",source_version=\"v1\","
            + "source_cluster=\"Kubernetes\",destination_workload=\"reviews-v2\",destination_workload_namespace=\"shop\","
            + "destination_principal=\"spiffe://cluster.local/ns/shop/sa/reviews\",destination_app=\"reviews\","
            + "destination_version=\"v2\",destination_service=\"reviews.shop.svc.cluster.local\",destination_service_name=\"reviews\","
            + "destination_service_namespace=\"shop\",destination_canonical_service=\"reviews\","
            + "destination_canonical_revision=\"v2\",destination_cluster=\"Kubernetes\",request_protocol=\"http\","
            + "response_code=\"200\",grpc_response_status=\"\",response_flags=\"-\",connection_security_policy=\"unknown\"",
            _metrics.Requests[0].Labels);
    }

    [Fact]
    public void At_the_server_the_roles_are_turned_and_an_unknown_peer_is_called_so()
    {
        var record = Request();
        record.Direction = TrafficDirection.Inbound;
        record.Connection = record.Connection with { Peer = null, PeerPrincipal = "", OwnPrincipal = "", IsMutualTls = false };
        _metrics.Count(record);
        var labels = _metrics.Requests[0].Labels;
        Assert.Contains("reporter=\"destination\",source_workload=\"unknown\",source_canonical_service=\"unknown\","
            + "source_canonical_revision=\"latest\",source_workload_namespace=\"unknown\",source_principal=\"unknown\"", labels, StringComparison.Ordinal);
        Assert.Contains("destination_workload=\"productpage-v1\"", labels, StringComparison.Ordinal);
        Assert.EndsWith("connection_security_policy=\"none\"", labels, StringComparison.Ordinal);
    }

    [Fact]
    public void Mutual_tls_is_said_by_the_server_only()
    {
        var record = Request();
        record.Direction = TrafficDirection.Inbound;
        record.Connection = record.Connection with { IsMutualTls = true };
        _metrics.Count(record);
        Assert.EndsWith("connection_security_policy=\"mutual_tls\"", _metrics.Requests[0].Labels, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cluster_of_no_service_is_named_by_itself_and_by_the_host_that_the_client_called()
    {
        var record = Request();
        record.Authority = "example.com"u8;
        record.Connection = record.Connection with { Service = null, Cluster = "PassthroughCluster", Peer = null };
        _metrics.Count(record);
        var labels = _metrics.Requests[0].Labels;
        Assert.Contains(
            "destination_service=\"example.com\",destination_service_name=\"PassthroughCluster\",destination_service_namespace=\"unknown\"",
            labels,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_does_not_take_the_name_of_a_service_from_a_header()
    {
        var record = Request();
        record.Direction = TrafficDirection.Inbound;
        record.Connection = record.Connection with { Service = null, Cluster = "inbound|8080||" };
        _metrics.Count(record);
        Assert.Contains(
            "destination_service=\"unknown\",destination_service_name=\"unknown\",destination_service_namespace=\"shop\"",
            _metrics.Requests[0].Labels,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Grpc_has_its_status_and_http_has_none()
    {
        var record = Request();
        record.IsGrpc = true;
        record.GrpcStatus = 14;
        _metrics.Count(record);
        Assert.Contains(
            "request_protocol=\"grpc\",response_code=\"200\",grpc_response_status=\"14\"", _metrics.Requests[0].Labels, StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_requests_of_different_connections_share_a_series()
    {
        for (var i = 0; i < 5; i++)
        {
            var record = Request();
            record.Connection = record.Connection with { Peer = _peer with { }, Cluster = new string("outbound|9080||reviews".ToCharArray()) };
            _metrics.Count(record);
        }

        Assert.Equal(1, _metrics.Requests.Length);
        Assert.Equal(5, _metrics.Requests[0].Requests);
    }

    [Theory]
    [InlineData(0.5, "0.5")]
    [InlineData(0.501, "1")]
    [InlineData(25, "25")]
    [InlineData(25.001, "50")]
    [InlineData(3_600_000, "3600000")]
    [InlineData(3_600_001, "+Inf")]
    public void A_duration_falls_into_the_first_bucket_that_holds_it(double milliseconds, string bucket)
    {
        var record = Request();
        record.Duration = TimeSpan.FromTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond));
        _metrics.Count(record);
        var at = Histogram.BucketNames.IndexOf(bucket);
        Assert.Equal(1, _metrics.Requests[0].Duration.CountOf(at));
    }

    [Fact]
    public void The_text_cumulates_buckets_and_merges_loops()
    {
        var other = new LoopMetrics(_own);
        _metrics.Count(Request());
        other.Count(Request());
        var slow = Request();
        slow.Duration = TimeSpan.FromSeconds(7200);
        other.Count(slow);
        var lines = Text(_metrics, other).Split('\n');
        var labels = _metrics.Requests[0].Labels;
        Assert.Contains($"istio_requests_total{{{labels}}} 3", lines);
        Assert.Contains($"istio_request_duration_milliseconds_bucket{{{labels},le=\"5\"}} 2", lines);
        Assert.Contains($"istio_request_duration_milliseconds_bucket{{{labels},le=\"3600000\"}} 2", lines);
        Assert.Contains($"istio_request_duration_milliseconds_bucket{{{labels},le=\"+Inf\"}} 3", lines);
        Assert.Contains($"istio_request_duration_milliseconds_count{{{labels}}} 3", lines);
        Assert.Contains($"istio_request_duration_milliseconds_sum{{{labels}}} 7200006", lines);
        Assert.Contains($"istio_request_bytes_sum{{{labels}}} {3 * (10 + 100)}", lines);
        Assert.Contains($"istio_response_bytes_sum{{{labels}}} {3 * (1000 + 200)}", lines);
        Assert.Equal(1, lines.Count(line => line == "# TYPE istio_requests_total counter"));
    }

    [Fact]
    public void Values_of_labels_are_escaped()
    {
        var record = Request();
        record.Connection = record.Connection with { Peer = _peer with { App = "a\"b\\c\nd" } };
        _metrics.Count(record);
        Assert.Contains("destination_app=\"a\\\"b\\\\c\\nd\"", _metrics.Requests[0].Labels, StringComparison.Ordinal);
    }

    [Fact]
    public void Series_beyond_the_limit_are_only_counted_as_such()
    {
        for (var i = 0; i < LoopMetrics.MaxSeries + 3; i++)
        {
            var record = Request();
            record.Status = i;
            _metrics.Count(record);
        }

        Assert.Equal(LoopMetrics.MaxSeries, _metrics.Requests.Length);
        Assert.Equal(3, _metrics.Overflowed);
        _metrics.Count(Request());
        Assert.Equal(3, _metrics.Overflowed);
        Assert.Contains("weft_metric_series_overflow_total 3\n", Text(_metrics), StringComparison.Ordinal);
    }

    [Fact]
    public void Hosts_beyond_the_limit_are_unknown()
    {
        for (var i = 0; i <= LoopMetrics.MaxHosts; i++)
        {
            var record = Request();
            record.Authority = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"host-{i}"));
            record.Connection = record.Connection with { Service = null, Cluster = "PassthroughCluster" };
            _metrics.Count(record);
        }

        Assert.Contains("destination_service=\"host-511\"", _metrics.Requests[LoopMetrics.MaxHosts - 1].Labels, StringComparison.Ordinal);
        Assert.Contains("destination_service=\"unknown\"", _metrics.Requests[LoopMetrics.MaxHosts].Labels, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tunnel_is_counted_when_it_opens_while_it_lasts_and_when_it_closes()
    {
        var facts = Request().Connection;
        var series = _metrics.TcpFor(TrafficDirection.Outbound, facts, "-")!;
        series.CountOpened();
        series.CountBytes(sent: 5, received: 7);
        series.CountBytes(sent: 1, received: 1);
        Assert.Same(series, _metrics.TcpFor(TrafficDirection.Outbound, facts, "-"));
        series.CountClosed();
        var lines = Text(_metrics).Split('\n');
        Assert.DoesNotContain("response_code=", series.Labels, StringComparison.Ordinal);
        Assert.Contains("request_protocol=\"tcp\",response_flags=\"-\"", series.Labels, StringComparison.Ordinal);
        Assert.Contains($"istio_tcp_connections_opened_total{{{series.Labels}}} 1", lines);
        Assert.Contains($"istio_tcp_connections_closed_total{{{series.Labels}}} 1", lines);
        Assert.Contains($"istio_tcp_sent_bytes_total{{{series.Labels}}} 6", lines);
        Assert.Contains($"istio_tcp_received_bytes_total{{{series.Labels}}} 8", lines);
    }

    [Fact]
    public void Counting_what_was_seen_before_allocates_nothing()
    {
        var record = Request();
        var passthrough = Request();
        passthrough.Authority = "example.com"u8;
        passthrough.Connection = passthrough.Connection with { Service = null, Cluster = "PassthroughCluster" };
        _metrics.Count(record);
        _metrics.Count(passthrough);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _metrics.Count(record);
            _metrics.Count(passthrough);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void The_process_says_which_build_it_is_and_what_it_uses()
    {
        var text = new MetricsText();
        ProcessMetrics.Add(text, "0.1.0");
        Assert.Contains("istio_build{component=\"proxy\",tag=\"weft-0.1.0\"} 1\n", text.ToString(), StringComparison.Ordinal);
        Assert.Matches("process_resident_memory_bytes [1-9][0-9]+\n", text.ToString());
        Assert.Matches("process_open_fds [1-9][0-9]*\n", text.ToString());
    }

    private static RequestRecord Request() => new()
    {
        Duration = TimeSpan.FromMilliseconds(3),
        Direction = TrafficDirection.Outbound,
        Status = 200,
        Authority = "reviews:9080"u8,
        RequestBytes = 10,
        RequestHeadBytes = 100,
        ResponseBytes = 1000,
        ResponseHeadBytes = 200,
        Connection = new ConnectionFactsRecord
        {
            Peer = _peer,
            PeerPrincipal = "spiffe://cluster.local/ns/shop/sa/reviews",
            OwnPrincipal = "spiffe://cluster.local/ns/shop/sa/productpage",
            IsMutualTls = true,
            Service = new ServiceNamePlan("reviews.shop.svc.cluster.local", "reviews", "shop"),
            Cluster = "outbound|9080||reviews",
        },
    };

    private static string Text(params LoopMetrics[] loops)
    {
        var text = new MetricsText();
        text.AddLoops(loops);
        return text.ToString();
    }
}
