// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Compiler.Outbound;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Gateways;

/// <summary>
/// AUTO_PASSTHROUGH: mutual TLS of the mesh goes on, unread, to the service that its server name spells. Only services that the server is
/// for and endpoints that speak mutual TLS themselves can be reached so; everything else would be an open door.
/// </summary>
internal sealed class PassedServices(MeshSnapshot index, ClientView view)
{
    private readonly Dictionary<string, (ClusterPlan Cluster, EndpointsPlan Endpoints)> _made = new(StringComparer.Ordinal);

    public IEnumerable<ClusterPlan> Clusters => _made.Values.Select(m => m.Cluster);

    public IEnumerable<EndpointsPlan> Endpoints => _made.Values.Select(m => m.Endpoints);

    public IEnumerable<ChainPlan> Chains(string listener, GatewayServer server)
    {
        foreach (var service in view.Scope.Services.Where(s => s.Ports.Count > 0 && IsFor(server, s)))
        {
            var merged = view.Destination(service);
            foreach (var port in service.Ports.Where(p => p.Protocol != PortProtocol.Udp))
            {
                foreach (var subset in (IEnumerable<Subset?>)[null, .. merged?.Subsets ?? []])
                {
                    var name = Names.Sni(port.Port, subset?.Name ?? "", service.Host);
                    if (Make(name, new Target(service, port, subset, merged, index.Facts(service, port.Port), index.Settings)))
                    {
                        var match = ChainMatchPlan.Any with { ServerNames = [name], TransportProtocol = "tls" };
                        yield return new ChainPlan(name, match, null, null, Defaults.Tcp(listener, name), server.Origin);
                    }
                }
            }
        }
    }

    private static bool IsFor(GatewayServer server, Service service) => server.Hosts.Any(h =>
        (h.Namespace is "*" || h.Namespace == service.Namespace) &&
        (h.Host is "*" || h.Host == service.Host || HostPattern.Matches(h.Host, service.Host)));

    private bool Make(string name, Target target)
    {
        if (_made.ContainsKey(name))
        {
            return true;
        }

        var endpoints = target.Facts.Select(target.Subset).Where(e => e.Meshed).ToList();
        if (endpoints.Count == 0)
        {
            return false;
        }

        var cluster = ClusterCompiler.Passing(index.Settings, target, name);
        _made.Add(name, (cluster, new EndpointsPlan(name, [.. endpoints])));
        return true;
    }
}
