// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Life;
using Xunit;

namespace Weft.Proxy.Tests.Life;

/// <summary>Everything here holds on both back ends.</summary>
public abstract class DrainTests
{
    private const string Get = "GET / HTTP/1.1\r\nhost: shop\r\n\r\n";

    protected DrainTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void A_drained_connection_ends_behind_the_answer_that_says_so_and_new_ones_are_still_taken()
    {
        using var arrived = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        using var origin = TestOrigin.Answering(request =>
        {
            if (request.StartsWith("GET /slow", StringComparison.Ordinal))
            {
                arrived.Set();
                go.Wait(5000);
            }

            return TestOrigin.Response("done");
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plan(origin.Port, port));
        using var busy = Peer.Connect(port);
        using var idle = Peer.Connect(port);
        idle.Write(Get);
        Assert.Null(Peer.Header(idle.ReadMessage()!, "connection"));
        busy.Write(Get.Replace("/ ", "/slow ", StringComparison.Ordinal));
        Assert.True(arrived.Wait(5000));

        proxy.Runtime.Drain(DrainScope.All);
        go.Set();
        AssertLastAnswer(busy.ReadToEnd());
        idle.Write(Get);
        AssertLastAnswer(idle.ReadToEnd());
        using var late = Peer.Connect(port);
        late.Write(Get);
        AssertLastAnswer(late.ReadToEnd());

        proxy.Runtime.CloseListeners(DrainScope.All);
        Assert.Throws<SocketException>(() => Peer.Connect(port));
    }

    [Fact]
    public void Draining_the_inbound_side_leaves_the_workloads_own_calls_alone_and_can_be_taken_back()
    {
        using var origin = TestOrigin.Ok("done");
        var (inbound, outbound) = (TestProxy.FreePort(), TestProxy.FreePort());
        var plan = Plan(origin.Port, outbound);
        using var proxy = new TestProxy(plan with
        {
            Listeners = [.. plan.Listeners, Plans.Listener(inbound, TrafficDirection.Inbound, Plans.HttpChain(TrafficDirection.Inbound))],
        });
        proxy.Runtime.Drain(DrainScope.Inbound);
        Assert.Equal("close", Answer(inbound));
        Assert.Null(Answer(outbound));
        proxy.Runtime.Drain(DrainScope.None);
        Assert.Null(Answer(inbound));
        proxy.Runtime.CloseListeners(DrainScope.Inbound);
        Assert.Throws<SocketException>(() => Peer.Connect(inbound));
        Assert.Null(Answer(outbound));
    }

    [Fact]
    public void Connections_of_a_removed_listener_finish_and_those_of_another_go_on()
    {
        using var origin = TestOrigin.Ok("done");
        var (kept, removed) = (TestProxy.FreePort(), TestProxy.FreePort());
        using var proxy = new TestProxy(Plan(origin.Port, kept, removed));
        using var stays = Peer.Connect(kept);
        using var leaves = Peer.Connect(removed);
        leaves.Write(Get);
        Assert.Null(Peer.Header(leaves.ReadMessage()!, "connection"));

        Assert.Null(proxy.Runtime.Apply(Plan(origin.Port, kept)));
        Assert.Throws<SocketException>(() => Peer.Connect(removed));
        leaves.Write(Get);
        AssertLastAnswer(leaves.ReadToEnd());
        stays.Write(Get);
        Assert.Null(Peer.Header(stays.ReadMessage()!, "connection"));
    }

    [Fact]
    public void A_connection_whose_chain_demands_something_else_now_must_come_again_and_new_routes_alone_do_not_ask_for_that()
    {
        using var origin = TestOrigin.Ok("done");
        var port = TestProxy.FreePort();
        var plan = Plan(origin.Port, port);
        using var proxy = new TestProxy(plan);
        using var client = Peer.Connect(port);
        client.Write(Get);
        Assert.Null(Peer.Header(client.ReadMessage()!, "connection"));

        Assert.Null(proxy.Runtime.Apply(Plans.Http(port, Plans.Forward("origin", timeoutMs: 9000)).With(Plans.Cluster("origin", origin.Port))));
        client.Write(Get);
        Assert.Null(Peer.Header(client.ReadMessage()!, "connection"));

        // As when PeerAuthentication becomes STRICT: who came in the clear may not stay.
        var strict = Plans.HttpChain(TrafficDirection.Outbound, new DownstreamTlsPlan(true, ["cluster.local"], []));
        Assert.Null(proxy.Runtime.Apply(plan with { Listeners = [Plans.Listener(port, TrafficDirection.Outbound, strict)] }));
        client.Write(Get);
        AssertLastAnswer(client.ReadToEnd());
    }

    [Fact]
    public void What_has_not_ended_by_itself_when_the_drain_time_is_over_is_cut()
    {
        using var origin = new TestOrigin(peer => peer.ReadToEnd());
        var port = TestProxy.FreePort();
        var plan = new ProxyPlan([Plans.Listener(port, TrafficDirection.Outbound, Plans.TcpChain("origin"))], [], [], []).With(Plans.Cluster("origin", origin.Port));
        using var proxy = new TestProxy(plan, options: options => options with { ListenerDrainMs = 200 });
        using var tunnel = Peer.Connect(port);
        tunnel.Write("hello");
        Assert.Null(proxy.Runtime.Apply(ProxyPlan.Empty));
        Assert.Throws<IOException>(() => tunnel.Read(1));
        Assert.True(SpinWait.SpinUntil(() => proxy.Runtime.OpenConnections == 0, 5000));
    }

    [Fact]
    public void The_first_connection_to_a_listener_that_a_plan_adds_is_served()
    {
        using var origin = TestOrigin.Ok("done");
        var first = TestProxy.FreePort();
        using var proxy = new TestProxy(Plan(origin.Port, first));
        for (var i = 0; i < 20; i++)
        {
            var port = TestProxy.FreePort();
            Peer? connected = null;
            var eager = new Thread(() => connected = ConnectAsSoonAsPossible(port));
            eager.Start();
            Assert.Null(proxy.Runtime.Apply(Plan(origin.Port, first, port)));
            eager.Join();
            using var client = connected!;
            client.Write(Get);
            Assert.StartsWith("HTTP/1.1 200", client.ReadMessage(), StringComparison.Ordinal);
        }
    }

    private static Peer ConnectAsSoonAsPossible(int port)
    {
        while (true)
        {
            try
            {
                return Peer.Connect(port);
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
            {
                // Not yet.
            }
        }
    }

    private static ProxyPlan Plan(int origin, params int[] ports)
    {
        var plan = Plans.Http(ports[0], Plans.Forward("origin")).With(Plans.Cluster("origin", origin));
        return plan with
        {
            Listeners = [.. ports.Select(port => Plans.Listener(port, TrafficDirection.Outbound, Plans.HttpChain(TrafficDirection.Outbound)))],
        };
    }

    private static string? Answer(int port)
    {
        using var client = Peer.Connect(port);
        client.Write(Get);
        var answer = client.ReadMessage()!;
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        return Peer.Header(answer, "connection");
    }

    private static void AssertLastAnswer(string answer)
    {
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Equal("close", Peer.Header(answer, "connection"));
        Assert.EndsWith("done", answer, StringComparison.Ordinal);
    }
}

public sealed class EpollDrainTests() : DrainTests(IoChoice.Epoll);

public sealed class UringDrainTests() : DrainTests(IoChoice.Uring);
