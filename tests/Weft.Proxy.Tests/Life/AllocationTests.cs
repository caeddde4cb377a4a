// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tests.Authorization;
using Xunit;

namespace Weft.Proxy.Tests.Life;

/// <summary>Everything here holds on both back ends.</summary>
public abstract class AllocationTests
{
    private const string Fields = "host: shop\r\nuser-agent: test\r\naccept: */*\r\n";

    protected AllocationTests(IoChoice io) => TestProxy.Io = io;

    [Theory]
    [InlineData("GET /products?id=1 HTTP/1.1\r\n" + Fields + "\r\n")]
    [InlineData("POST /orders HTTP/1.1\r\n" + Fields + "content-length: 5\r\n\r\nabcde")]
    [InlineData("POST /orders HTTP/1.1\r\n" + Fields + "transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n")]
    [InlineData("GET /missing HTTP/1.1\r\n" + Fields + "\r\n", "/known")]
    public void A_request_costs_no_allocation_once_everything_is_warm(string request, string prefix = "/")
    {
        using var origin = new ConstantOrigin();
        var port = TestProxy.FreePort();
        var route = Plans.Forward("origin", new RetryPlan(2, 5000, ["5xx"], [], 25), 5000, prefix);
        using var proxy = new TestProxy(Plans.Http(port, route).With(Plans.Cluster("origin", origin.Port)));
        AssertNothingIsAllocated(port, request, proxy);
    }

    [Theory]
    [InlineData(LoadBalancerKind.Maglev)]
    [InlineData(LoadBalancerKind.RingHash)]
    [InlineData(LoadBalancerKind.PeakEwma)]
    [InlineData(LoadBalancerKind.LeastRequest)]
    public void Every_policy_of_a_cluster_at_once_costs_no_allocation(LoadBalancerKind kind)
    {
        using var origin = new ConstantOrigin();
        var port = TestProxy.FreePort();
        var route = Plans.Forward("origin", new RetryPlan(2, 5000, ["5xx", "envoy-ratelimited"], [], 25), 5000);
        route = route with { Forward = route.Forward! with { HashPolicies = [new HashPolicyPlan(HashSource.Header, "user-agent", "", -1, false)] } };
        var cluster = Plans.Cluster("origin", origin.Port) with
        {
            Balancer = kind,
            Breaker = new CircuitBreakerPlan(10, 10, 10, 10, new RetryBudgetPlan(20, 3)),
            Outlier = new OutlierPlan(5, 5, 5, true, 3_600_000, 30_000, 300_000, 50),
            SlowStart = new SlowStartPlan(3_600_000, 2, 10),
            PanicPercent = 50,
        };
        using var proxy = new TestProxy(Plans.Http(port, route).With(cluster));
        AssertNothingIsAllocated(port, "GET /products?id=1 HTTP/1.1\r\n" + Fields + "\r\n", proxy);
    }

    [Theory]
    [InlineData("GET /products HTTP/1.1\r\n" + Fields + "x-forwarded-for: 10.1.2.3, 10.1.2.4\r\n\r\n")]
    [InlineData("GET /missing HTTP/1.1\r\n" + Fields + "\r\n")]
    public void A_request_that_a_thousand_rules_judge_costs_no_allocation(string request)
    {
        using var origin = new ConstantOrigin();
        var port = TestProxy.FreePort();
        var rules = Enumerable.Range(0, 1000).Select(i => Policies.Rule(
            $"p{i:d4}", Policies.IsNot(RequestTrait.RemoteAddress, $"10.2.{i % 250}.0/24"), Policies.Is(RequestTrait.Path, $"/{i}", "/missing")));
        var plan = Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port));
        using var proxy = new TestProxy(plan.Guarded(Policies.Deny([.. rules])));
        AssertNothingIsAllocated(port, request, proxy);
    }

    [Fact]
    public void A_request_through_mutual_tls_costs_neither_proxy_an_allocation()
    {
        using var origin = new ConstantOrigin();
        using var pair = new MeshedPair(origin.Port);
        AssertNothingIsAllocated(pair.Port, $"POST /orders HTTP/1.1\r\n{Fields}content-length: 5\r\n\r\nabcde", pair.Client, pair.Server);
    }

    [Fact]
    public void Bytes_in_a_tunnel_cost_no_allocation()
    {
        using var origin = new ConstantOrigin();
        var port = TestProxy.FreePort();
        var plan = new ProxyPlan([Plans.Listener(port, TrafficDirection.Outbound, Plans.TcpChain("origin"))], [], [], []);
        using var proxy = new TestProxy(plan.With(Plans.Cluster("origin", origin.Port)));
        AssertNothingIsAllocated(port, "whatever", proxy);
    }

    private static void AssertNothingIsAllocated(int port, string request, params TestProxy[] proxies)
    {
        using var client = Peer.Connect(port);
        var bytes = System.Text.Encoding.ASCII.GetBytes(request);
        var answer = new byte[4096];
        Ask(client, bytes, answer, 2000);
        var before = Allocated(proxies);
        Ask(client, bytes, answer, 5000);

        // The two questions themselves are the test's: one closure's worth a proxy, whatever the number of requests.
        Assert.InRange(Allocated(proxies) - before, 0, 1000 * proxies.Length);
    }

    private static long Allocated(TestProxy[] proxies)
    {
        long total = 0;
        foreach (var proxy in proxies)
        {
            proxy.Runtime.OnEveryLoop(_ =>
            {
                total += GC.GetAllocatedBytesForCurrentThread();
                return null;
            });
        }

        return total;
    }

    private static void Ask(Peer client, byte[] request, byte[] answer, int times)
    {
        for (var i = 0; i < times; i++)
        {
            client.Socket.Send(request);
            var length = 0;
            do
            {
                var count = client.Socket.Receive(answer.AsSpan(length));
                Assert.NotEqual(0, count);
                length += count;
            }
            while (!IsWhole(answer.AsSpan(0, length)));
        }
    }

    /// <summary>The origin's answer, or the proxy's own, which has no body here.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> answer) =>
        answer.EndsWith("hello"u8) || answer.EndsWith("RBAC: access denied"u8) || (answer.StartsWith("HTTP/1.1 404"u8) && answer.EndsWith("\r\n\r\n"u8));

    /// <summary>Answers every request with the same bytes.</summary>
    private sealed class ConstantOrigin : IDisposable
    {
        private readonly TestOrigin _origin = new(peer =>
        {
            var bytes = new byte[4096];
            var filled = 0;
            int count;
            while ((count = peer.Socket.Receive(bytes.AsSpan(filled))) > 0)
            {
                filled += count;
                if (IsWholeRequest(bytes.AsSpan(0, filled)))
                {
                    filled = 0;
                    peer.Socket.Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-type: text/plain\r\n\r\nhello"u8);
                }
            }
        });

        internal int Port => _origin.Port;

        public void Dispose() => _origin.Dispose();

        /// <summary>One of the requests above: without a body, or with one whose end is known. An answer to half of one would break the connection.</summary>
        private static bool IsWholeRequest(ReadOnlySpan<byte> request) =>
            request.EndsWith("abcde"u8) || request.EndsWith("\r\n0\r\n\r\n"u8) || request.SequenceEqual("whatever"u8) ||
            (request.StartsWith("GET"u8) && request.EndsWith("\r\n\r\n"u8));
    }
}

public sealed class EpollAllocationTests() : AllocationTests(IoChoice.Epoll);

public sealed class UringAllocationTests() : AllocationTests(IoChoice.Uring);
