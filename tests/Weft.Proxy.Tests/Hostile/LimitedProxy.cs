// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Telemetry;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>A proxy with limits of a test's choice in front of one server, whose clock only the test moves.</summary>
internal sealed class LimitedProxy : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly TestProxy _proxy;

    internal LimitedProxy(TestOrigin origin, HttpLimitsPlan limits, Func<RoutePlan, RoutePlan>? change = null)
    {
        Port = TestProxy.FreePort();
        var route = Plans.Forward("origin");
        var plan = Plans.Http(Port, change?.Invoke(route) ?? route).With(Plans.Cluster("origin", origin.Port));
        _proxy = new TestProxy(plan.Ruled(http => http with { Limits = limits }), options: options => options with { Clock = _clock });
    }

    internal int Port { get; }

    public void Dispose() => _proxy.Dispose();

    internal Peer Connect() => Peer.Connect(Port);

    internal long Hits(ProxyLimit limit) => _proxy.Runtime.Metrics.Sum(loop => loop.HitsOf(limit));

    /// <summary>Waits until so many clients are connected.</summary>
    internal void Has(int connections) => Assert.True(
        SpinWait.SpinUntil(() => _proxy.Runtime.OpenConnections == connections, TimeSpan.FromSeconds(10)),
        $"{_proxy.Runtime.OpenConnections} clients are connected, not {connections}.");

    /// <summary>Moves the clock; when this returns, everything that became due has happened.</summary>
    internal void Advance(int milliseconds) => _proxy.Advance(_clock, milliseconds);
}
