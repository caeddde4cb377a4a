// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>Cost against the number of routes: as virtual hosts of one route each, and as prefixes of one virtual host.</summary>
internal sealed class RoutesRow : ScaleRow
{
    public override string Name => "routes";

    private protected override string What => "routes";

    private protected override string Note =>
        "One hop, wrk with 32 connections. 'hosts': every route has a host of its own and the last is asked for; 'prefixes': every route is a path prefix of one host and only the last fits. haproxy gets the same tables as maps.";

    private protected override IEnumerable<(Topology Topology, Func<int, Sample[]> Load)> Subjects(Lab lab, int size)
    {
        var host = $"Host: {RouteTexts.HostOf(size - 1)}";
        yield return Hosts(lab.Haproxy.HostMap(size, "haproxy, hosts"));
        yield return Hosts(lab.Weft.Planned("weft, hosts", port => WeftPlans.Hosts(port, lab.Origin.Port, size)));
        yield return Prefixes(lab.Haproxy.PrefixMap(size, "haproxy, prefixes"));
        yield return Prefixes(lab.Weft.Planned("weft, prefixes", port => WeftPlans.Prefixes(port, lab.Origin.Port, size)));

        (Topology, Func<int, Sample[]>) Hosts(Topology topology) =>
            (topology, seconds => HttpLoad.Once(topology, Origin.Small, HttpLoad.Connections, seconds, host));

        static (Topology, Func<int, Sample[]>) Prefixes(Topology topology) =>
            (topology, seconds => HttpLoad.Once(topology, Origin.Small, HttpLoad.Connections, seconds));
    }
}

/// <summary>Cost against the number of endpoints of the cluster that requests go to.</summary>
internal sealed class EndpointsRow : ScaleRow
{
    public override string Name => "endpoints";

    private protected override string What => "endpoints";

    private protected override string Note =>
        "One hop, wrk with 32 connections, least request over so many addresses of one origin. With many endpoints each has few requests, so most of the cost is opening connections until there is one to each.";

    private protected override IEnumerable<(Topology Topology, Func<int, Sample[]> Load)> Subjects(Lab lab, int size)
    {
        var topology = lab.Weft.Planned("weft", port => WeftPlans.Endpoints(port, lab.Origin.Port, size));
        yield return (topology, seconds => HttpLoad.Once(topology, Origin.Small, HttpLoad.Connections, seconds));
    }
}

/// <summary>Cost against the number of listeners in the plan.</summary>
internal sealed class ListenersRow : ScaleRow
{
    public override string Name => "listeners";

    private protected override string What => "listeners";

    private protected override string Note => "One hop, wrk with 32 connections; all listeners but one wait for captured connections, as in a sidecar.";

    private protected override IEnumerable<(Topology Topology, Func<int, Sample[]> Load)> Subjects(Lab lab, int size)
    {
        var topology = lab.Weft.Planned("weft", port => WeftPlans.Listeners(port, lab.Origin.Port, size));
        yield return (topology, seconds => HttpLoad.Once(topology, Origin.Small, HttpLoad.Connections, seconds));
    }
}

/// <summary>Cost against the number of connections that send requests at once.</summary>
internal sealed class ConnectionsRow : ScaleRow
{
    public override string Name => "connections";

    private protected override string What => "busy connections";

    private protected override string Note =>
        "One hop, wrk with so many connections, each with a request under way. The most is what the machine's limit of open descriptors lets a proxy have.";

    private protected override int Allowed(int size) => Math.Min(size, DescriptorLimit.Connections);

    private protected override IEnumerable<(Topology Topology, Func<int, Sample[]> Load)> Subjects(Lab lab, int size)
    {
        foreach (var topology in (Topology[])[lab.Haproxy.Hop(), lab.Nginx.Hop(), lab.Weft.Hop()])
        {
            yield return (topology, seconds => HttpLoad.Once(topology, Origin.Small, size, seconds));
        }
    }
}
