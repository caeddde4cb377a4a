// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>A proxy in this process, on explicit ports of the loopback, without marks: no privilege is needed.</summary>
internal sealed class TestProxy : IDisposable
{
    private static readonly AsyncLocal<IoChoice?> _io = new();
    private static int _lastPort = 20_000 + (Environment.ProcessId % 5_000);

    internal TestProxy(ProxyPlan plan, IoChoice? io = null, Action<ProxyRuntime>? prepare = null, Func<ProxyOptions, ProxyOptions>? options = null)
    {
        var chosen = new ProxyOptions
        {
            Io = io ?? Io,
            Mark = 0,
            Seed = 7,
            Faulted = fault => Faults.Add(fault.ToString()),
            Workload = new WorkloadNamePlan("client", "shop", "client", "v1", "Kubernetes", "client-sa", "client", "v1"),
        };
        Runtime = new ProxyRuntime(options?.Invoke(chosen) ?? chosen);
        Runtime.Start();
        prepare?.Invoke(Runtime);
        Assert.Null(Runtime.Apply(plan));
    }

    /// <summary>The back end of the proxies that the running test makes.</summary>
    internal static IoChoice Io
    {
        get => _io.Value ?? IoChoice.Epoll;
        set => _io.Value = value;
    }

    /// <summary>In front of one server, on a port of its own.</summary>
    internal static TestProxy Before(TestOrigin origin, out int port, Func<ProxyOptions, ProxyOptions>? options = null)
    {
        port = FreePort();
        return new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)), options: options);
    }

    internal ProxyRuntime Runtime { get; }

    internal List<string> Faults { get; } = [];

    public void Dispose()
    {
        Runtime.Dispose();
        Assert.Empty(Faults);
    }

    /// <summary>
    /// When this returns, what was sent before has been noticed, and what was due has happened: a loop looks at its clock between two turns,
    /// so the second one is behind the timers of the first.
    /// </summary>
    internal void Settle()
    {
        Assert.Null(Runtime.OnEveryLoop(_ => null));
        Assert.Null(Runtime.OnEveryLoop(_ => null));
    }

    /// <summary>Moves the clock that the proxy goes by; when this returns, everything that became due has happened.</summary>
    internal void Advance(ManualClock clock, int milliseconds)
    {
        clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
        Settle();
    }

    /// <summary>Waits until a figure has a value.</summary>
    internal static Task HasAsync(Func<long> figure, long value) => Eventually.HoldsAsync(
        $"the figure is {value}", () => Task.FromResult(figure() == value), () => Task.FromResult($"It is {figure()}."));

    /// <summary>
    /// A port that nobody listens on, below the range from which outgoing connections take theirs: one from that range could be
    /// taken again before the proxy listens.
    /// </summary>
    internal static int FreePort()
    {
        while (true)
        {
            var port = Interlocked.Increment(ref _lastPort);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Somebody else's; the next one will do.
            }
        }
    }
}

/// <summary>Short ways to write plans.</summary>
internal static class Plans
{
    internal static ProxyPlan Http(int port, params RoutePlan[] routes) => Http(port, TrafficDirection.Outbound, routes);

    internal static ProxyPlan Http(int port, TrafficDirection direction, params RoutePlan[] routes) => new(
        [Listener(port, direction, HttpChain(direction))],
        [new RouteTablePlan("routes", [new VirtualHostPlan("all", ["*"], [.. routes])])],
        [],
        []);

    internal static ChainPlan HttpChain(TrafficDirection direction, DownstreamTlsPlan? tls = null) =>
        new("http", ChainMatchPlan.Any, tls, new HttpChainPlan("test", "routes", null, direction), null);

    /// <summary>The same plan with other rules for every HTTP chain.</summary>
    internal static ProxyPlan Ruled(this ProxyPlan plan, Func<HttpChainPlan, HttpChainPlan> change) => plan with
    {
        Listeners =
        [
            .. plan.Listeners.Select(listener => listener with
            {
                Chains = [.. listener.Chains.Select(chain => chain.Http is { } http ? chain with { Http = change(http) } : chain)],
            }),
        ],
    };

    internal static ChainPlan TcpChain(string cluster, DownstreamTlsPlan? tls = null) =>
        new("tcp", ChainMatchPlan.Any, tls, null, new TcpChainPlan("test", [WeightedClusterPlan.Only(cluster)], 0));

    internal static ListenerPlan Listener(int port, TrafficDirection direction, params ChainPlan[] chains) =>
        new($"127.0.0.1_{port}", "127.0.0.1", port, direction, true, false, false, false, 0, [.. chains], null);

    internal static RoutePlan Forward(string cluster, RetryPlan? retry = null, int timeoutMs = 0, string prefix = "/") => new(
        "route",
        RouteMatchPlan.Everything with { Path = new TextMatchPlan(TextMatchKind.Prefix, prefix) },
        new ForwardPlan([WeightedClusterPlan.Only(cluster)], timeoutMs, retry, null),
        null,
        null,
        null,
        HeaderOperationsPlan.None,
        HeaderOperationsPlan.None,
        Origin.BuiltIn);

    /// <summary>A route that takes CONNECT requests.</summary>
    internal static RoutePlan Tunnel(string cluster, int idleMs = 0)
    {
        var forward = Forward(cluster);
        return forward with
        {
            Match = RouteMatchPlan.Everything with { Connect = true },
            Forward = forward.Forward! with { IdleTimeoutMs = idleMs },
        };
    }

    internal static ClusterPlan Cluster(string name, params int[] ports) => new(
        name,
        ClusterKind.Static,
        LoadBalancerKind.RoundRobin,
        1000,
        0,
        0,
        null,
        [.. ports.Select(port => new EndpointPlan("127.0.0.1", port, 1, true, true, null))],
        null,
        TrafficDirection.Outbound,
        Origin.BuiltIn);

    internal static ProxyPlan With(this ProxyPlan plan, params ClusterPlan[] clusters) =>
        plan with { Clusters = [.. plan.Clusters, .. clusters] };
}
