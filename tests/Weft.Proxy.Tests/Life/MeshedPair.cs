// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Tests.Life;

/// <summary>A client's proxy and a server's in this process, with mutual TLS between them, whose plans a test changes while they run.</summary>
internal sealed class MeshedPair : IDisposable
{
    internal const string ClientId = "spiffe://cluster.local/ns/shop/sa/client";
    internal const string ServerId = "spiffe://cluster.local/ns/shop/sa/server";

    private static readonly UpstreamTlsPlan _upstream = new(UpstreamTlsMode.Auto, "outbound_.80_._.server", ["istio-http/1.1"], [ServerId], "", false);
    private static readonly DownstreamTlsPlan _downstream = new(true, ["cluster.local"], ["istio-http/1.1", "http/1.1"]);

    private readonly TestAuthority _authority = new();
    private readonly int _between = TestProxy.FreePort();

    internal MeshedPair(params int[] origins)
    {
        Client = new TestProxy(ClientPlan("0"), prepare: runtime => _authority.Give(runtime, ClientId));
        Server = new TestProxy(ServerPlan(origins), prepare: runtime => _authority.Give(runtime, ServerId));
    }

    /// <summary>Where the client's application connects to.</summary>
    internal int Port { get; } = TestProxy.FreePort();

    internal TestProxy Client { get; }

    internal TestProxy Server { get; }

    /// <summary>Its answers carry the version in x-plan.</summary>
    /// <param name="version">Any text.</param>
    /// <param name="others">Further ports to listen on.</param>
    internal ProxyPlan ClientPlan(string version, params int[] others)
    {
        var route = Plans.Forward("server") with { ResponseHeaders = new HeaderOperationsPlan([new HeaderPlan("x-plan", version)], [], []) };
        var plan = Plans.Http(Port, route).With(Plans.Cluster("server", _between) with { Tls = _upstream });
        return plan with
        {
            Listeners = [.. plan.Listeners, .. others.Select(port => Plans.Listener(port, TrafficDirection.Outbound, Plans.HttpChain(TrafficDirection.Outbound)))],
        };
    }

    internal ProxyPlan ServerPlan(params int[] origins)
    {
        var plan = Plans.Http(_between, TrafficDirection.Inbound, Plans.Forward("app"));
        return plan.With(Plans.Cluster("app", origins) with { Direction = TrafficDirection.Inbound }) with
        {
            Listeners = [Plans.Listener(_between, TrafficDirection.Inbound, Plans.HttpChain(TrafficDirection.Inbound, _downstream))],
        };
    }

    /// <summary>New certificates for both.</summary>
    internal void Rotate()
    {
        _authority.Give(Client.Runtime, ClientId);
        _authority.Give(Server.Runtime, ServerId);
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        _authority.Dispose();
    }
}
