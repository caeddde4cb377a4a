// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Network;

/// <summary>Services and EndpointSlices → what the node's NAT must do; pure.</summary>
internal static class ServiceTable
{
    /// <summary>Endpoints of one service port beyond this number are left out.</summary>
    public const int MaxEndpoints = 1000;

    private static readonly IPAddress _node = IPAddress.Parse(NodeNetwork.NodeAddress);

    /// <summary>Every cluster address and node port that leads somewhere.</summary>
    public static IReadOnlyList<ServiceTarget> Compile(IEnumerable<JsonObject> services, IEnumerable<JsonObject> slices)
    {
        var byService = slices.ToLookup(s => (s.Namespace(), s.Label("kubernetes.io/service-name") ?? ""));
        var targets = new List<ServiceTarget>();
        foreach (var service in services.OrderBy(s => s.Namespace(), StringComparer.Ordinal).ThenBy(s => s.Name(), StringComparer.Ordinal))
        {
            // The API server's own address is served by the node, not by NAT.
            var address = service.Text("spec", "clusterIP");
            if (!IPAddress.TryParse(address, out var ip) || address == NodeNetwork.ApiAddress || address == NodeNetwork.DnsAddress)
            {
                continue;
            }

            var sticky = service.Text("spec", "sessionAffinity") == "ClientIP";
            foreach (var port in service.Objects("spec", "ports"))
            {
                var protocol = (port.Text("protocol") ?? "TCP").ToLowerInvariant();
                if (protocol is not ("tcp" or "udp") || port.Number("port") is not { } number)
                {
                    continue;
                }

                var endpoints = Endpoints(byService[(service.Namespace(), service.Name())], port.Text("name") ?? "", protocol);
                targets.Add(new ServiceTarget(ip, (int)number, protocol, sticky, endpoints));
                if (port.Number("nodePort") is { } nodePort)
                {
                    targets.Add(new ServiceTarget(_node, (int)nodePort, protocol, sticky, endpoints));
                }
            }
        }

        return targets;
    }

    private static IPEndPoint[] Endpoints(IEnumerable<JsonObject> slices, string portName, string protocol)
    {
        var found = new SortedDictionary<string, IPEndPoint>(StringComparer.Ordinal);
        foreach (var slice in slices)
        {
            var port = slice.Objects("ports").FirstOrDefault(p =>
                (p.Text("name") ?? "") == portName
                && string.Equals(p.Text("protocol") ?? "TCP", protocol, StringComparison.OrdinalIgnoreCase));
            if (port?.Number("port") is not { } number)
            {
                continue;
            }

            foreach (var endpoint in slice.Objects("endpoints").Where(e => e.Flag("conditions", "ready") ?? true))
            {
                foreach (var address in endpoint.Texts("addresses"))
                {
                    if (found.Count < MaxEndpoints && IPAddress.TryParse(address, out var ip))
                    {
                        found[$"{ip}:{number}"] = new IPEndPoint(ip, (int)number);
                    }
                }
            }
        }

        return [.. found.Values];
    }
}

/// <summary>One address and port that clients call, and where such calls go.</summary>
/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
/// <param name="Sticky">The same client goes to the same endpoint (session affinity ClientIP).</param>
/// <param name="Endpoints">Ready ones, in a stable order; none refuses the call.</param>
internal sealed record ServiceTarget(
    IPAddress Address, int Port, string Protocol, bool Sticky, IReadOnlyList<IPEndPoint> Endpoints);
