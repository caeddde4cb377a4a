// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Overload;
using Weft.Proxy.Telemetry;
using Xunit;

namespace Weft.Proxy.Tests.Life;

public sealed class OverloadTests
{
    private const string Get = "GET / HTTP/1.1\r\nhost: shop\r\n\r\n";
    private const int PatienceMs = 10_000;

    [Theory]
    [InlineData(899, OverloadLevel.None)]
    [InlineData(900, OverloadLevel.KeepAlive)]
    [InlineData(949, OverloadLevel.KeepAlive)]
    [InlineData(950, OverloadLevel.NewWork)]
    [InlineData(979, OverloadLevel.NewWork)]
    [InlineData(980, OverloadLevel.IdleConnections)]
    public void A_level_begins_at_its_part_of_each_limit(int used, object level)
    {
        foreach (var which in (ReadOnlySpan<int>)[0, 1, 2])
        {
            var readings = new Readings { [which] = used };
            var guard = new OverloadGuard(new OverloadSettings(1000, 1000, 1000), readings, _ => { }, _ => { });
            guard.Check();
            guard.Check();
            Assert.Equal(which == 1 ? new OverloadLevels(OverloadLevel.None, (OverloadLevel)level) : new OverloadLevels((OverloadLevel)level, OverloadLevel.None), guard.Levels);
        }
    }

    [Fact]
    public void A_level_is_left_only_below_its_slack_and_every_change_is_said()
    {
        var readings = new Readings { [0] = 950 };
        List<string> said = [];
        List<OverloadLevel> given = [];
        var guard = new OverloadGuard(new OverloadSettings(1000, 0, 0), readings, levels => given.Add(levels.Work), said.Add);
        guard.Check();
        foreach (var (used, level) in (ReadOnlySpan<(int, OverloadLevel)>)
            [(920, OverloadLevel.NewWork), (919, OverloadLevel.KeepAlive), (870, OverloadLevel.KeepAlive), (869, OverloadLevel.None), (899, OverloadLevel.None)])
        {
            readings[0] = used;
            guard.Check();
            Assert.Equal(level, guard.Levels.Work);
        }

        Assert.Equal(3, said.Count);
        Assert.StartsWith("overloaded: new connections wait", said[0], StringComparison.Ordinal);
        Assert.StartsWith("no longer overloaded", said[2], StringComparison.Ordinal);
        Assert.Equal([OverloadLevel.NewWork, OverloadLevel.NewWork, OverloadLevel.KeepAlive, OverloadLevel.KeepAlive, OverloadLevel.None], given);
    }

    [Fact]
    public void One_slow_turn_of_a_loop_is_no_overload_and_no_limit_is_none()
    {
        var readings = new Readings { [2] = 5000 };
        var guard = new OverloadGuard(new OverloadSettings(0, 0, 1000), readings, _ => { }, _ => { });
        guard.Check();
        Assert.Equal(OverloadLevel.None, guard.Levels.Work);
        guard.Check();
        Assert.Equal(OverloadLevel.IdleConnections, guard.Levels.Work);
        readings = new Readings { [0] = long.MaxValue, [1] = int.MaxValue, [2] = int.MaxValue };
        guard = new OverloadGuard(new OverloadSettings(0, 0, 0), readings, _ => { }, _ => { });
        guard.Check();
        guard.Check();
        Assert.Equal(OverloadLevel.None, guard.Levels.Work);
    }

    [Theory]
    [InlineData("max\n", 0)]
    [InlineData("268435456\n", 268435456)]
    [InlineData("", 0)]
    public void The_control_groups_memory_limit_is_taken_where_there_is_one(string text, long bytes) =>
        Assert.Equal(bytes, OverloadSettings.ReadMemoryLimit(text));

    [Theory]
    [InlineData("Max open files            1024                 4096                 files     \n", 1024)]
    [InlineData("Max open files            unlimited            unlimited            files     \n", 0)]
    [InlineData("", 0)]
    public void The_soft_descriptor_limit_is_taken(string text, int limit) => Assert.Equal(limit, OverloadSettings.ReadDescriptorLimit(text));

    [Fact]
    public void This_process_can_be_read()
    {
        using var proxy = new TestProxy(Plans.Http(TestProxy.FreePort(), Plans.Forward("origin")).With(Plans.Cluster("origin", 1)));
        using var readings = new ProcessReadings(proxy.Runtime);
        Assert.InRange(readings.ResidentBytes, 1_000_000, Environment.WorkingSet * 2);
        Assert.InRange(readings.OpenDescriptors, 1, 1000);
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public void New_work_is_given_up_first_then_idle_connections_and_what_was_begun_goes_on(IoChoice io)
    {
        TestProxy.Io = io;
        using var arrived = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        using var origin = TestOrigin.Answering(request =>
        {
            if (request.StartsWith("GET /slow", StringComparison.Ordinal))
            {
                arrived.Set();
                go.Wait(PatienceMs);
            }

            return TestOrigin.Response("done");
        });
        using var proxy = TestProxy.Before(origin, out var port);
        using var busy = Peer.Connect(port);
        using var next = Peer.Connect(port);
        using var idle = Peer.Connect(port);
        next.Write(Get);
        Assert.Null(Peer.Header(next.ReadMessage()!, "connection"));
        idle.Write(Get);
        Assert.Null(Peer.Header(idle.ReadMessage()!, "connection"));
        busy.Write(Get.Replace("/ ", "/slow ", StringComparison.Ordinal));
        Assert.True(arrived.Wait(PatienceMs));

        proxy.Runtime.Give(new OverloadLevels(OverloadLevel.KeepAlive, OverloadLevel.None));
        using (var spared = Peer.Connect(port))
        {
            spared.Write(Get);
            var answer = spared.ReadToEnd();
            Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
            Assert.Equal("close", Peer.Header(answer, "connection"));
        }

        proxy.Runtime.Give(new OverloadLevels(OverloadLevel.NewWork, OverloadLevel.None));
        next.Write(Get);
        var refused = next.ReadToEnd();
        Assert.StartsWith("HTTP/1.1 503", refused, StringComparison.Ordinal);
        Assert.Equal("true", Peer.Header(refused, "x-envoy-local-overloaded"));
        Assert.Equal("close", Peer.Header(refused, "connection"));
        Assert.Equal(1, proxy.Runtime.Life.Sum(loop => loop.Refused));
        using var waiting = Peer.Connect(port);
        waiting.Write(Get);
        var before = proxy.Runtime.OpenConnections;

        proxy.Runtime.Give(new OverloadLevels(OverloadLevel.IdleConnections, OverloadLevel.None));
        Assert.Equal("", idle.ReadToEnd());
        Assert.InRange(proxy.Runtime.OpenConnections, 1, before - 1);
        Assert.True(proxy.Runtime.Life.Sum(loop => loop.IdleClosed) >= 1);
        go.Set();
        Assert.EndsWith("done", busy.ReadToEnd(), StringComparison.Ordinal);

        proxy.Runtime.Give(new OverloadLevels(OverloadLevel.None, OverloadLevel.None));
        var served = waiting.ReadMessage()!;
        Assert.StartsWith("HTTP/1.1 200", served, StringComparison.Ordinal);
        Assert.Null(Peer.Header(served, "connection"));
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public async Task Short_of_descriptors_new_connections_wait_and_requests_of_those_that_are_there_are_answered_and_kept(IoChoice io)
    {
        TestProxy.Io = io;
        using var origin = TestOrigin.Ok("done");
        using var proxy = TestProxy.Before(origin, out var port);
        using var client = Peer.Connect(port);
        client.Write(Get);
        client.ReadMessage();
        await TestProxy.HasAsync(() => proxy.Runtime.OpenChannels, 2);
        proxy.Runtime.Give(new OverloadLevels(OverloadLevel.None, OverloadLevel.NewWork));
        using var waiting = Peer.Connect(port);
        waiting.Write(Get);
        for (var i = 0; i < 3; i++)
        {
            client.Write(Get);
            var answer = client.ReadMessage()!;
            Assert.EndsWith("done", answer, StringComparison.Ordinal);
            Assert.Null(Peer.Header(answer, "connection"));
        }

        Assert.Equal(1, proxy.Runtime.OpenConnections);
        proxy.Runtime.Give(new OverloadLevels(OverloadLevel.None, OverloadLevel.IdleConnections));
        Assert.Equal("", client.ReadToEnd());
        await TestProxy.HasAsync(() => proxy.Runtime.OpenChannels, 0);
        proxy.Runtime.Give(default);
        Assert.EndsWith("done", waiting.ReadMessage(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public async Task One_client_more_than_may_be_connected_waits_until_another_goes(IoChoice io)
    {
        TestProxy.Io = io;
        using var origin = TestOrigin.Ok("done");
        using var proxy = TestProxy.Before(origin, out var port, chosen => chosen with { Clients = new ClientLimit(2) });
        using var first = Peer.Connect(port);
        await TestProxy.HasAsync(() => proxy.Runtime.OpenConnections, 1);
        using var second = Peer.Connect(port);
        await TestProxy.HasAsync(() => proxy.Runtime.OpenConnections, 2);
        proxy.Runtime.OnEveryLoop(_ => null);
        foreach (var client in (Peer[])[first, second, first, second])
        {
            client.Write(Get);
            Assert.EndsWith("done", client.ReadMessage(), StringComparison.Ordinal);
        }

        using var third = Peer.Connect(port);
        third.Write(Get);
        first.Write(Get);
        Assert.EndsWith("done", first.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(2, proxy.Runtime.OpenConnections);
        Assert.Equal(1, proxy.Runtime.Metrics.Sum(loop => loop.HitsOf(ProxyLimit.ClientConnections)));
        second.Dispose();
        Assert.EndsWith("done", third.ReadMessage(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public async Task A_burst_of_clients_never_goes_more_than_a_quarter_above_the_limit_and_the_proxy_serves_on(IoChoice io)
    {
        TestProxy.Io = io;
        using var origin = TestOrigin.Ok("done");
        using var proxy = TestProxy.Before(origin, out var port, chosen => chosen with { Clients = new ClientLimit(8), Loops = 2 });
        Peer[] burst = [.. Enumerable.Range(0, 64).Select(_ => Peer.Connect(port))];
        for (var i = 0; i < 20; i++)
        {
            proxy.Runtime.OnEveryLoop(_ => null);

            // Two loops may each take one at the same moment.
            Assert.InRange(proxy.Runtime.OpenConnections, 1, 8 + 2 + 1);
        }

        foreach (var client in burst)
        {
            client.Dispose();
        }

        // What waited in the queues is still taken, and found to be gone.
        await Weft.Testing.Eventually.HoldsAsync("a client is served", () => Task.FromResult(IsServed(port)), () => Task.FromResult("It is not."));
    }

    [Fact]
    public void Half_of_the_descriptors_are_for_clients_and_no_limit_is_none()
    {
        var limit = ClientLimit.Of(new OverloadSettings(0, 100, 0));
        for (var i = 0; i < (100 - ProcessReadings.OtherDescriptors) / 2; i++)
        {
            Assert.False(limit.IsReached);
            limit.Enter();
        }

        Assert.True(limit.IsReached);
        limit.Leave();
        Assert.False(limit.IsReached);
        Assert.False(ClientLimit.Of(new OverloadSettings(0, 0, 0)).IsReached);
    }

    [Fact]
    public unsafe void The_program_takes_as_many_descriptors_as_the_system_grants()
    {
        ResourceLimit limit;
        Assert.Equal(0, Libc.GetLimit(Libc.LimitOfDescriptors, &limit));
        limit.Soft = limit.Hard - 1;
        Assert.Equal(0, Libc.SetLimit(Libc.LimitOfDescriptors, &limit));
        Assert.Null(DescriptorLimit.Raise());
        Assert.Equal(0, Libc.GetLimit(Libc.LimitOfDescriptors, &limit));
        Assert.Equal(limit.Hard, limit.Soft);
    }

    [Fact]
    public void A_loop_that_is_kept_busy_is_seen()
    {
        using var proxy = new TestProxy(Plans.Http(TestProxy.FreePort(), Plans.Forward("origin")).With(Plans.Cluster("origin", 1)));
        proxy.Runtime.TakeLongestRoundMs();
        proxy.Runtime.OnEveryLoop(_ =>
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            SpinWait.SpinUntil(() => watch.ElapsedMilliseconds >= 50);
            return null;
        });
        proxy.Runtime.OnEveryLoop(_ => null);
        Assert.True(proxy.Runtime.TakeLongestRoundMs() >= 40);
    }

    [Fact]
    public async Task A_proxy_that_does_nothing_is_asked_nothing()
    {
        var readings = new Readings();
        var told = new System.Collections.Concurrent.ConcurrentQueue<Action>();
        using var guard = new OverloadGuard(new OverloadSettings(1000, 0, 0), readings, _ => { }, _ => { });
        guard.Start(told.Enqueue);
        await TestProxy.HasAsync(() => told.Count, 1);
        Assert.Equal(0, readings.Asked);

        // Each time that a loop works, it looks once, and then again only when a loop works.
        for (var worked = 1; worked <= 3; worked++)
        {
            Assert.True(told.TryDequeue(out var work));
            work();
            await TestProxy.HasAsync(() => told.Count, 1);
            Assert.Equal(worked, readings.Asked);
        }
    }

    [Fact]
    public async Task An_overload_is_looked_at_until_it_is_over_though_no_loop_works()
    {
        var readings = new Readings { [0] = 950 };
        Action? told = null;
        using var guard = new OverloadGuard(new OverloadSettings(1000, 0, 0), readings, _ => { }, _ => { });
        guard.Start(work => Volatile.Write(ref told, work));
        await TestProxy.HasAsync(() => Volatile.Read(ref told) is null ? 0 : 1, 1);
        told!();
        await TestProxy.HasAsync(() => (int)guard.Levels.Work, (int)OverloadLevel.NewWork);
        readings[0] = 0;
        await TestProxy.HasAsync(() => (int)guard.Levels.Work, (int)OverloadLevel.None);
    }

    [Fact]
    public async Task A_loop_tells_once_that_it_works()
    {
        using var proxy = new TestProxy(Weft.Model.Plan.ProxyPlan.Empty);
        var told = 0;
        proxy.Runtime.TellOfWork(() => Interlocked.Increment(ref told));
        proxy.Runtime.OnEveryLoop(_ => null);
        proxy.Runtime.OnEveryLoop(_ => null);
        Assert.Equal(1, told);
        proxy.Runtime.TellOfWork(() => Interlocked.Increment(ref told));
        proxy.Runtime.OnEveryLoop(_ => null);
        await TestProxy.HasAsync(() => Volatile.Read(ref told), 2);
    }

    [Fact]
    public void The_metrics_show_how_near_each_limit_is()
    {
        var guard = new OverloadGuard(new OverloadSettings(1000, 1000, 1000), new Readings { [1] = 960 }, _ => { }, _ => { });
        guard.Check();
        var text = new MetricsText();
        text.AddOverload(guard, [new LifeCounters()]);
        Assert.Contains("weft_overload_pressure{resource=\"descriptors\"} 0.96\n", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("weft_overload_level 2\n", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("weft_overload_refused_requests_total 0\n", text.ToString(), StringComparison.Ordinal);
    }

    private static bool IsServed(int port)
    {
        try
        {
            using var client = Peer.Connect(port);
            client.Write(Get);
            return client.ReadMessage()?.EndsWith("done", StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private sealed class Readings : IOverloadReadings
    {
        private readonly long[] _values = new long[3];

        internal int Asked { get; private set; }

        public long ResidentBytes => _values[0];

        public int OpenDescriptors => (int)_values[1];

        public int TakeLoopDelayMs()
        {
            Asked++;
            return (int)_values[2];
        }

        internal long this[int which]
        {
            set => _values[which] = value;
        }
    }
}
