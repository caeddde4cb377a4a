// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Plan;

namespace Weft.Bench.Peers;

/// <summary>Plans as a mesh would give them: routes, retries, a timeout, metrics, mutual TLS between identities.</summary>
internal static class WeftPlans
{
    public const string ServerId = "spiffe://cluster.local/ns/bench/sa/server";

    private const string Host = "origin.bench.svc.cluster.local";
    private const string OutboundName = "outbound|80||" + Host;
    private const int TimeoutMs = 15_000;

    // Longer than any run: no figure should hold the cost of connections that went idle in between.
    private const int PoolIdleMs = 300_000;

    /// <summary>One hop without TLS: ten prefixes to choose from, the last of which leads to the origin.</summary>
    public static ProxyPlan Hop(int port, int origin) =>
        Http(port, Table(RouteTexts.Prefixes.Select(Unused)), Cluster(OutboundName, TrafficDirection.Outbound, origin));

    /// <summary>The hop with so many virtual hosts of one route each.</summary>
    public static ProxyPlan Hosts(int port, int origin, int hosts)
    {
        var cluster = Cluster(OutboundName, TrafficDirection.Outbound, origin);
        var tables = Enumerable.Range(0, hosts).Select(number => new VirtualHostPlan(RouteTexts.HostOf(number), [RouteTexts.HostOf(number)], [Everything(cluster.Name)]));
        return Http(port, new RouteTablePlan("80", [.. tables]), cluster);
    }

    /// <summary>The hop with so many prefixes in one virtual host, in front of the one that requests have.</summary>
    public static ProxyPlan Prefixes(int port, int origin, int prefixes) =>
        Http(port, Table(Enumerable.Range(0, prefixes).Select(RouteTexts.PrefixOf).Select(Unused)), Cluster(OutboundName, TrafficDirection.Outbound, origin));

    /// <summary>The hop with so many endpoints: addresses 127.1.0.0 and up, which all lead to the origin.</summary>
    public static ProxyPlan Endpoints(int port, int origin, int endpoints)
    {
        var addresses = Enumerable.Range(0, endpoints).Select(number =>
            Endpoint(string.Create(CultureInfo.InvariantCulture, $"127.1.{number / 250}.{(number % 250) + 1}"), origin));
        return Http(port, Table([]), Cluster(OutboundName, TrafficDirection.Outbound, origin) with { StaticEndpoints = [.. addresses] });
    }

    /// <summary>The hop with so many listeners, of which one is bound and the others wait for captured connections, as in a sidecar.</summary>
    public static ProxyPlan Listeners(int port, int origin, int listeners)
    {
        var plan = Hop(port, origin);
        var chain = plan.Listeners[0].Chains[0];
        var others = Enumerable.Range(0, listeners - 1).Select(number =>
        {
            var address = string.Create(CultureInfo.InvariantCulture, $"10.96.{number / 250}.{(number % 250) + 1}");
            return new ListenerPlan($"{address}_80", address, 80, TrafficDirection.Outbound, false, false, false, true, 5000, [chain], null);
        });
        return plan with { Listeners = [.. plan.Listeners.Concat(others).OrderBy(listener => listener.Name, StringComparer.Ordinal)] };
    }

    /// <summary>The client's half of a pair. With <paramref name="shared"/>, requests travel on HTTP/2 between the halves.</summary>
    public static ProxyPlan Outbound(int port, int middle, bool shared)
    {
        string[] alpn = shared ? ["istio-h2", "istio", "h2"] : ["istio-http/1.1", "istio", "http/1.1"];
        var cluster = Cluster(OutboundName, TrafficDirection.Outbound, middle) with
        {
            Protocol = shared ? UpstreamProtocol.Http2 : UpstreamProtocol.Http1,
            Tls = new UpstreamTlsPlan(UpstreamTlsMode.Auto, "outbound_.80_._." + Host, [.. alpn], [ServerId], "", false),
        };
        return Http(port, Table([]), cluster);
    }

    /// <summary>The server's half of a pair.</summary>
    public static ProxyPlan Inbound(int port, int origin, UpstreamProtocol protocol)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"inbound|{origin}||");
        var cluster = Cluster(name, TrafficDirection.Inbound, origin) with { Protocol = protocol };
        var route = new RoutePlan(
            "default", RouteMatchPlan.Everything, new ForwardPlan([WeightedClusterPlan.Only(name)], 0, null, null), null, null, null, HeaderOperationsPlan.None, HeaderOperationsPlan.None, Origin());
        var tls = new DownstreamTlsPlan(true, ["cluster.local"], ["istio-h2", "istio-http/1.1", "h2", "http/1.1"]);
        var table = new RouteTablePlan("80", [new VirtualHostPlan("inbound|http|80", ["*"], [route])]);
        return new ProxyPlan([Listener(port, TrafficDirection.Inbound, tls, new HttpChainPlan("inbound", "80", null, TrafficDirection.Inbound), null)], [table], [cluster], []);
    }

    /// <summary>The client's half of a pair that copies bytes.</summary>
    public static ProxyPlan TcpOutbound(int port, int middle) => TcpOutbound(
        port, middle, new UpstreamTlsPlan(UpstreamTlsMode.Auto, "outbound_.80_._." + Host, ["istio"], [ServerId], "", false));

    /// <summary>
    /// The same for any server: mutual TLS as to one outside the mesh, which offers no protocol. A server that knows none of the mesh's names
    /// would refuse those.
    /// </summary>
    public static ProxyPlan Opener(int port, int server, Certificates files) => TcpOutbound(
        port,
        server,
        new UpstreamTlsPlan(UpstreamTlsMode.Simple, "localhost", [], [ServerId], files.Root, false)
        {
            Certificate = new CertificateSource("", files.Chain("client"), files.Key("client")),
        });

    /// <summary>The server's half of a pair that copies bytes.</summary>
    public static ProxyPlan TcpInbound(int port, int origin) => Tcp(
        port,
        TrafficDirection.Inbound,
        new DownstreamTlsPlan(true, ["cluster.local"], ["istio"]),
        Cluster(string.Create(CultureInfo.InvariantCulture, $"inbound|{origin}||"), TrafficDirection.Inbound, origin));

    private static ProxyPlan TcpOutbound(int port, int server, UpstreamTlsPlan tls) =>
        Tcp(port, TrafficDirection.Outbound, null, Cluster(OutboundName, TrafficDirection.Outbound, server) with { Tls = tls });

    private static ProxyPlan Http(int port, RouteTablePlan table, ClusterPlan cluster) => new(
        [Listener(port, TrafficDirection.Outbound, null, new HttpChainPlan("bench", "80", null, TrafficDirection.Outbound), null)], [table], [cluster], []);

    private static ProxyPlan Tcp(int port, TrafficDirection direction, DownstreamTlsPlan? tls, ClusterPlan cluster) => new(
        [Listener(port, direction, tls, null, new TcpChainPlan("bench", [WeightedClusterPlan.Only(cluster.Name)], 0))], [], [cluster], []);

    private static ListenerPlan Listener(int port, TrafficDirection direction, DownstreamTlsPlan? tls, HttpChainPlan? http, TcpChainPlan? tcp)
    {
        var chain = new ChainPlan("chain", ChainMatchPlan.Any, tls, http, tcp, Origin());
        return new ListenerPlan(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1_{port}"), "127.0.0.1", port, direction, true, false, tls is not null, false, 0, [chain], null);
    }

    private static RouteTablePlan Table(IEnumerable<RoutePlan> before) =>
        new("80", [new VirtualHostPlan("all", ["*"], [.. before, Everything(OutboundName)])]);

    private static RoutePlan Unused(string prefix) =>
        Everything(OutboundName) with { Name = prefix, Match = new RouteMatchPlan(new TextMatchPlan(TextMatchKind.Prefix, prefix), [], []) };

    private static RoutePlan Everything(string cluster)
    {
        var retry = new RetryPlan(2, 0, ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"], [503], 25);
        return new RoutePlan(
            "default",
            RouteMatchPlan.Everything,
            new ForwardPlan([WeightedClusterPlan.Only(cluster)], TimeoutMs, retry, null),
            null,
            null,
            null,
            HeaderOperationsPlan.None,
            HeaderOperationsPlan.None,
            Origin());
    }

    private static ClusterPlan Cluster(string name, TrafficDirection direction, int port) => new(
        name,
        ClusterKind.Static,
        LoadBalancerKind.LeastRequest,
        10_000,
        0,
        PoolIdleMs,
        null,
        [Endpoint("127.0.0.1", port)],
        new ServiceNamePlan(Host, "origin", "bench"),
        direction,
        Origin());

    private static EndpointPlan Endpoint(string address, int port) =>
        new(address, port, 1, true, true, new WorkloadNamePlan("origin", "bench", "origin", "v1", "Kubernetes", "server", "", ""));

    private static Weft.Model.Diagnostics.Origin Origin() => Weft.Model.Diagnostics.Origin.BuiltIn;
}
