// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Tests.Peers;

/// <summary>Two proxies behind each other, as a request passes them from one meshed pod to another.</summary>
internal sealed class PeerPair : IDisposable
{
    private readonly TestProxy _first;
    private readonly TestProxy _second;

    private PeerPair(int port, TestProxy first, TestProxy second)
    {
        Port = port;
        _first = first;
        _second = second;
    }

    /// <summary>Where clients connect to.</summary>
    internal int Port { get; }

    internal static PeerPair To(int origin, UpstreamProtocol toOrigin, UpstreamProtocol between, IoChoice io, RetryPlan? retry = null)
    {
        var (outer, inner) = (TestProxy.FreePort(), TestProxy.FreePort());
        var second = new TestProxy(
            Plans.Http(inner, TrafficDirection.Inbound, Plans.Forward("origin")).With(Plans.Cluster("origin", origin) with { Protocol = toOrigin }), io);
        var first = new TestProxy(
            Plans.Http(outer, Plans.Forward("peer", retry)).With(Plans.Cluster("peer", inner) with { Protocol = between }), io);
        return new PeerPair(outer, first, second);
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }
}
