// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;
using Xunit;

namespace Weft.Proxy.Tests.Http2;

/// <summary>What is different for gRPC. Everything here holds on both back ends.</summary>
public abstract class GrpcTests
{
    private const string Message = "\0\0\0\0\u0003abc";

    protected GrpcTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void Status_comes_from_the_trailers_and_messages_are_counted()
    {
        using var origin = Http2Peer.Answering((peer, request) =>
        {
            peer.SendHead(request, end: false, ":status: 200", "content-type: application/grpc");
            peer.Send(request, Message + Message + Message, end: false);
            peer.SendHead(request, end: true, "grpc-status: 9");
        });
        using var proxy = Through(origin, Plans.Forward("origin"), out var port);
        using var client = Http2Peer.Connect(port);
        var answer = Call(client);
        client.Send(answer, Message + Message, end: true);
        client.Wait(answer);
        Assert.Equal("9", answer.Trailers["grpc-status"]);
        var metrics = Metrics(proxy);
        Assert.Contains("request_protocol=\"grpc\",response_code=\"200\",grpc_response_status=\"9\"", metrics, StringComparison.Ordinal);
        Assert.Matches("weft_http2_events_total\\{event=\"streams\"\\} 2\n", metrics);
        Assert.Matches("istio_request_messages_total\\{[^}]*\\} 2\n", metrics);
        Assert.Matches("istio_response_messages_total\\{[^}]*\\} 3\n", metrics);
    }

    [Fact]
    public void A_failure_is_told_in_grpcs_own_form()
    {
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("gone", prefix: "/shop.")).With(Plans.Cluster("gone")));
        using var client = Http2Peer.Connect(port);
        var sick = Call(client);
        client.Send(sick, Message, end: true);
        client.Wait(sick);
        Assert.Equal(200, sick.Status);
        Assert.Equal("application/grpc", sick.Head["content-type"]);
        Assert.Equal("14", sick.Head["grpc-status"]);
        Assert.Equal("no healthy upstream", sick.Head["grpc-message"]);
        var lost = client.Post("/nowhere", "content-type: application/grpc+proto");
        client.Send(lost, "", end: true);
        client.Wait(lost);
        Assert.Equal("12", lost.Head["grpc-status"]);
        var web = client.Post("/nowhere", "content-type: application/grpc-web");
        client.Send(web, "", end: true);
        client.Wait(web);
        Assert.Equal(404, web.Status);
    }

    [Theory]
    [InlineData(true, 200, "5")]
    [InlineData(false, 404, null)]
    public void An_injected_status_is_grpcs_where_the_request_is(bool grpc, int status, string? grpcStatus)
    {
        var port = TestProxy.FreePort();
        var route = Plans.Forward("origin") with { Fault = new FaultPlan(0, 0, 0, 5, 1_000_000) };
        using var proxy = new TestProxy(Plans.Http(port, route).With(Plans.Cluster("origin", 1)));
        using var client = Http2Peer.Connect(port);
        var answer = client.Post("/", "content-type: " + (grpc ? "application/grpc" : "text/plain"));
        client.Send(answer, "", end: true);
        client.Wait(answer);
        Assert.Equal(status, answer.Status);
        Assert.Equal(grpcStatus, answer.Head.GetValueOrDefault("grpc-status"));
    }

    [Theory]
    [InlineData("100m", 0, 0)]
    [InlineData("100m", 3_600_000, 0)]
    [InlineData("100m", 50, 3_600_000)]
    [InlineData("1H", 3_600_000, 100)]
    [InlineData("1H", 100, -1)]
    [InlineData("", 100, 3_600_000)]
    public void A_deadline_ends_a_call_that_still_sends_in_place_of_the_routes_timeout_as_far_as_the_route_honours_it(
        string deadline, int routeTimeoutMs, int mostMs)
    {
        using var origin = Http2Peer.Origin(peer => peer.TryWait(() => false));
        var route = Plans.Forward("origin", timeoutMs: routeTimeoutMs);
        using var proxy = Through(origin, route with { Forward = route.Forward! with { MaxGrpcTimeoutMs = mostMs } }, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = Call(client, deadline.Length == 0 ? "x: y" : "grpc-timeout: " + deadline);
        if (mostMs < 0 || deadline.Length == 0)
        {
            // The route's clock begins with the end of the request.
            client.Send(answer, Message, end: true);
        }

        client.Wait(() => answer.Head.ContainsKey("grpc-status"));
        Assert.Equal("4", answer.Head["grpc-status"]);
        Assert.Equal("upstream request timeout", answer.Head["grpc-message"]);
    }

    [Fact]
    public void A_call_is_tried_again_for_the_codes_that_the_route_names()
    {
        var tries = 0;
        using var origin = Http2Peer.Answering((peer, request) => peer.SendHead(
            request,
            end: true,
            ":status: 200",
            "content-type: application/grpc",
            Interlocked.Increment(ref tries) < 3 ? "grpc-status: 14" : "grpc-status: 0"));
        using var proxy = Through(origin, Plans.Forward("origin", new RetryPlan(3, 0, ["unavailable"], [], 1)), out var port);
        using var client = Http2Peer.Connect(port);
        var answer = Call(client);
        client.Send(answer, Message, end: true);
        client.Wait(answer);
        Assert.Equal("0", answer.Head["grpc-status"]);
        Assert.Equal(3, tries);
    }

    [Fact]
    public void Both_sides_of_a_call_may_talk_for_as_long_as_they_like()
    {
        using var origin = Http2Peer.Origin(peer =>
        {
            peer.Wait(() => peer.Messages.Count == 1);
            var call = peer.Messages[0];
            peer.SendHead(call, end: false, ":status: 200", "content-type: application/grpc");
            for (var heard = 0; peer.TryWait(() => call.Body.Length > heard || call.Ended); heard = call.Body.Length)
            {
                if (call.Ended)
                {
                    peer.SendHead(call, end: true, "grpc-status: 0");
                    break;
                }

                peer.Send(call, Message, end: false);
            }

            peer.TryWait(() => false);
        });
        using var proxy = Through(origin, Plans.Forward("origin"), out var port);
        using var client = Http2Peer.Connect(port);
        var answer = Call(client);
        for (var i = 1; i <= 20; i++)
        {
            client.Send(answer, Message, end: false);
            client.Wait(() => answer.Body.Length == i * Message.Length);
        }

        client.Send(answer, "", end: true);
        client.Wait(answer);
        Assert.Equal("0", answer.Trailers["grpc-status"]);
    }

    private static Http2Message Call(Http2Peer client, params string[] fields) =>
        client.Post("/shop.Cart/Add", ["content-type: application/grpc", "te: trailers", .. fields]);

    private static string Metrics(TestProxy proxy)
    {
        var text = new MetricsText();
        text.AddLoops([.. proxy.Runtime.Metrics]);
        Http2Metrics.Add(text, proxy.Runtime.Http2Pools);
        return text.ToString();
    }

    private static TestProxy Through(TestOrigin origin, RoutePlan route, out int port)
    {
        port = TestProxy.FreePort();
        return new TestProxy(Plans.Http(port, route).With(Plans.Cluster("origin", origin.Port) with { Protocol = UpstreamProtocol.Http2 }));
    }
}

public sealed class EpollGrpcTests() : GrpcTests(IoChoice.Epoll);

public sealed class UringGrpcTests() : GrpcTests(IoChoice.Uring);
