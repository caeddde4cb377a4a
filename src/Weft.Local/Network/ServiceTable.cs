// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Network;

/// <summary>Services and EndpointSlices → what the node's NAT must do; pure.</summary>
internal static class ServiceTable
{
    /// <summary>Endpoints of one service port beyond this number are left out.</summary>
    public const int MaxEndpoints = 1000;

    private const string Local = "Local";
    private const int DefaultAffinitySeconds = 10_800;

    /// <summary>Every address and port that leads somewhere, or refuses: cluster addresses, external ones, node ports.</summary>
    public static IReadOnlyList<ServiceTarget> Compile(
        IEnumerable<JsonObject> services, IEnumerable<JsonObject> slices, IReadOnlyList<NodePlace> nodes)
    {
        var byService = slices.ToLookup(s => (s.Namespace(), s.Label("kubernetes.io/service-name") ?? ""));
        var targets = new Dictionary<(IPAddress, int, string, string?), ServiceTarget>();
        foreach (var service in services.OrderBy(s => s.Namespace(), StringComparer.Ordinal).ThenBy(s => s.Name(), StringComparer.Ordinal))
        {
            foreach (var address in AddressesOf(service))
            {
                foreach (var port in service.Objects("spec", "ports"))
                {
                    foreach (var target in Targets(service, port, address, [.. byService[(service.Namespace(), service.Name())]], nodes))
                    {
                        // Two services that claim one external address: the first by name has it.
                        targets.TryAdd((target.Address, target.Port, target.Protocol, target.From), target);
                    }
                }
            }
        }

        return [.. targets.Values];
    }

    /// <summary>One a family; those that the node itself serves need no NAT.</summary>
    private static IEnumerable<IPAddress> AddressesOf(JsonObject service) =>
        service.Texts("spec", "clusterIPs").Append(service.Text("spec", "clusterIP")).OfType<string>().Distinct()
            .Where(address => address is not (NodeNetwork.ApiAddress or NodeNetwork.DnsAddress or NodeNetwork.ApiAddress6 or NodeNetwork.DnsAddress6))
            .Select(address => IPAddress.TryParse(address, out var ip) ? ip : null).OfType<IPAddress>();

    private static IEnumerable<ServiceTarget> Targets(
        JsonObject service, JsonObject port, IPAddress address, IReadOnlyList<JsonObject> slices, IReadOnlyList<NodePlace> nodes)
    {
        var protocol = (port.Text("protocol") ?? "TCP").ToLowerInvariant();
        if (protocol is not ("tcp" or "udp") || port.Number("port") is not { } number)
        {
            yield break;
        }

        var all = Endpoints(slices, port.Text("name") ?? "", protocol, address.AddressFamily);
        var affinity = service.Text("spec", "sessionAffinity") == "ClientIP"
            ? (int?)(service.Number("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds") ?? DefaultAffinitySeconds)
            : null;
        var inside = new ServiceTarget(address, (int)number, protocol, affinity, [.. all.Select(e => e.Place)]);
        if (service.Text("spec", "internalTrafficPolicy") == Local)
        {
            // Who calls from a node reaches the endpoints of that node only.
            foreach (var node in nodes)
            {
                yield return inside with { From = node.Bridge, Endpoints = On(node, all) };
            }
        }

        // The machine's own relays are on no node in particular.
        yield return inside;

        foreach (var text in service.Texts("spec", "externalIPs"))
        {
            if (IPAddress.TryParse(text, out var external) && external.AddressFamily == address.AddressFamily)
            {
                yield return inside with { Address = external };
            }
        }

        if (port.Number("nodePort") is { } nodePort)
        {
            var local = service.Text("spec", "externalTrafficPolicy") == Local;
            foreach (var node in nodes)
            {
                if ((address.AddressFamily == AddressFamily.InterNetworkV6 ? node.Address6 : node.Address) is { } own)
                {
                    yield return inside with { Address = own, Port = (int)nodePort, Endpoints = local ? On(node, all) : inside.Endpoints };
                }
            }
        }
    }

    private static IPEndPoint[] On(NodePlace node, IEnumerable<Endpoint> all) => [.. all.Where(e => e.Node == node.Name).Select(e => e.Place)];

    /// <summary>Those that are ready; if there are none, those that end but still serve.</summary>
    private static List<Endpoint> Endpoints(IEnumerable<JsonObject> slices, string portName, string protocol, AddressFamily family)
    {
        var ready = new SortedDictionary<string, Endpoint>(StringComparer.Ordinal);
        var ending = new SortedDictionary<string, Endpoint>(StringComparer.Ordinal);
        foreach (var slice in slices)
        {
            var port = slice.Objects("ports").FirstOrDefault(p =>
                (p.Text("name") ?? "") == portName
                && string.Equals(p.Text("protocol") ?? "TCP", protocol, StringComparison.OrdinalIgnoreCase));
            if (port?.Number("port") is not { } number)
            {
                continue;
            }

            foreach (var endpoint in slice.Objects("endpoints"))
            {
                var isReady = endpoint.Flag("conditions", "ready") ?? true;
                if (!isReady && !(endpoint.Flag("conditions", "serving") == true && endpoint.Flag("conditions", "terminating") == true))
                {
                    continue;
                }

                var found = isReady ? ready : ending;
                foreach (var address in endpoint.Texts("addresses"))
                {
                    if (found.Count < MaxEndpoints && IPAddress.TryParse(address, out var ip) && ip.AddressFamily == family)
                    {
                        found[new IPEndPoint(ip, (int)number).ToString()] = new Endpoint(new IPEndPoint(ip, (int)number), endpoint.Text("nodeName"));
                    }
                }
            }
        }

        return [.. (ready.Count > 0 ? ready : ending).Values];
    }

    private sealed record Endpoint(IPEndPoint Place, string? Node);
}

/// <summary>One address and port that clients call, and where such calls go.</summary>
/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
/// <param name="Affinity">For how many seconds the same client goes to the same endpoint; null: not at all.</param>
/// <param name="Endpoints">In a stable order; none refuses the call.</param>
internal sealed record ServiceTarget(
    IPAddress Address, int Port, string Protocol, int? Affinity, IReadOnlyList<IPEndPoint> Endpoints)
{
    /// <summary>Only for calls that come in by this bridge; null for all.</summary>
    public string? From { get; init; }
}
