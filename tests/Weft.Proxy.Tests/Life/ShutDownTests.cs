// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Weft.Model.Plan;
using Weft.Proxy.Control;
using Weft.Proxy.Life;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Life;

public sealed class ShutDownTests
{
    private const string Get = "GET / HTTP/1.1\r\nhost: shop\r\n\r\n";
    private const int PatienceMs = 10_000;

    [Fact]
    public void The_process_goes_on_to_the_end_of_its_drain_time_and_not_longer()
    {
        using var origin = TestOrigin.Ok("done");
        using var setting = new Setting(origin.Port, new ShutDownSettings(TimeSpan.FromSeconds(5), false, TimeSpan.Zero));
        setting.Begin();
        setting.Clock.Advance(TimeSpan.FromMilliseconds(4999));
        Assert.Equal("close", setting.Ask());
        Assert.True(setting.IsRunning);
        setting.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(setting.Ended(PatienceMs));
        Assert.Throws<SocketException>(() => setting.Ask());
    }

    [Fact]
    public void With_exit_on_zero_it_ends_behind_the_last_request_but_not_before_the_minimum()
    {
        using var arrived = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        using var origin = TestOrigin.Answering(_ =>
        {
            arrived.Set();
            go.Wait(5000);
            return TestOrigin.Response("done");
        });
        using var setting = new Setting(origin.Port, new ShutDownSettings(TimeSpan.FromHours(1), true, TimeSpan.FromSeconds(5)));
        using var client = Peer.Connect(setting.Port);
        client.Write(Get);
        Assert.True(arrived.Wait(5000));
        setting.Begin();
        setting.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(1, setting.Runtime.CountBusy());
        Assert.True(setting.IsRunning);
        go.Set();
        Assert.EndsWith("done", client.ReadToEnd(), StringComparison.Ordinal);
        Assert.True(setting.Ended(PatienceMs));
    }

    [Fact]
    public void Before_the_minimum_an_idle_proxy_stays()
    {
        using var origin = TestOrigin.Ok("done");
        using var setting = new Setting(origin.Port, new ShutDownSettings(TimeSpan.FromHours(1), true, TimeSpan.FromSeconds(5)));
        setting.Begin();
        setting.Clock.Advance(TimeSpan.FromMilliseconds(4999));
        Assert.Equal("close", setting.Ask());
        Assert.True(setting.IsRunning);
        setting.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(setting.Ended(PatienceMs));
    }

    [Fact]
    public void Asked_a_second_time_it_ends_at_once()
    {
        using var origin = TestOrigin.Ok("done");
        using var setting = new Setting(origin.Port, new ShutDownSettings(TimeSpan.FromHours(1), false, TimeSpan.Zero));
        setting.Begin();
        setting.ShutDown.Hurry();
        Assert.True(setting.Ended(PatienceMs));
    }

    [Fact]
    public void The_environment_of_istios_agent_is_obeyed_and_what_is_wrong_in_it_is_named()
    {
        var bootstrap = new Bootstrap { Node = new NodeSettings { Id = "a" }, Identity = new IdentitySettings() };
        Assert.Equal(new ShutDownSettings(TimeSpan.FromSeconds(5), false, TimeSpan.FromSeconds(5)), ShutDownSettings.Read(bootstrap, _ => null));
        var values = new Dictionary<string, string>
        {
            ["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] = "true",
            ["MINIMUM_DRAIN_DURATION"] = "7s",
            ["TERMINATION_DRAIN_DURATION_SECONDS"] = "20",
        };
        Assert.Equal(new ShutDownSettings(TimeSpan.FromSeconds(20), true, TimeSpan.FromSeconds(7)), ShutDownSettings.Read(bootstrap, values.GetValueOrDefault));
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)[("EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "maybe"), ("MINIMUM_DRAIN_DURATION", "-1s")])
        {
            var refused = Assert.Throws<BootstrapException>(() => ShutDownSettings.Read(bootstrap, asked => asked == name ? value : null));
            Assert.Contains(name, refused.Message, StringComparison.Ordinal);
            Assert.Contains($"'{value}'", refused.Message, StringComparison.Ordinal);
        }
    }

    private sealed class Setting : IDisposable
    {
        private readonly TestProxy _proxy;
        private readonly Thread _thread;

        internal Setting(int origin, ShutDownSettings settings)
        {
            Port = TestProxy.FreePort();
            var plan = Plans.Http(Port, TrafficDirection.Inbound, Plans.Forward("origin")).With(Plans.Cluster("origin", origin));
            _proxy = new TestProxy(plan, options: options => options with { Clock = Clock });
            ShutDown = new ShutDown(_proxy.Runtime, settings, Clock);
            _thread = new Thread(ShutDown.Run);
        }

        internal ManualClock Clock { get; } = new();

        internal int Port { get; }

        internal ShutDown ShutDown { get; }

        internal ProxyRuntime Runtime => _proxy.Runtime;

        internal bool IsRunning => _thread.IsAlive;

        internal void Begin()
        {
            _thread.Start();
            Assert.True(SpinWait.SpinUntil(() => Runtime.Draining == DrainScope.Inbound, PatienceMs));

            // Once more around every loop: what was asked for is done there.
            Runtime.OnEveryLoop(_ => null);
        }

        internal bool Ended(int milliseconds) => _thread.Join(milliseconds);

        /// <summary>What the answer says of the connection.</summary>
        internal string? Ask()
        {
            using var client = Peer.Connect(Port);
            client.Write(Get);
            return Peer.Header(client.ReadMessage()!, "connection");
        }

        public void Dispose()
        {
            ShutDown.Hurry();
            if (_thread.ThreadState != ThreadState.Unstarted)
            {
                _thread.Join();
            }

            _proxy.Dispose();
            ShutDown.Dispose();
        }
    }
}
