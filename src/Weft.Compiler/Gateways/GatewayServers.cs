// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Gateways;

/// <summary>
/// The servers of all gateways that a workload serves, by the port that is really bound. The oldest gateway decides what a port speaks.
/// </summary>
internal sealed class GatewayServers
{
    private readonly SortedDictionary<(int Port, string Bind), List<(GatewayIntent Gateway, GatewayServer Server)>> _ports = [];

    private GatewayServers()
    {
    }

    public List<Diagnostic> Findings { get; } = [];

    public IEnumerable<KeyValuePair<(int Port, string Bind), List<(GatewayIntent Gateway, GatewayServer Server)>>> Ports => _ports;

    public static GatewayServers Of(MeshSnapshot index, Workload workload)
    {
        var servers = new GatewayServers();
        foreach (var gateway in index.Gateways.Of(workload))
        {
            foreach (var server in gateway.Servers)
            {
                foreach (var port in Bound(index, workload, server.Port))
                {
                    servers.Add(gateway, server, port);
                }
            }
        }

        return servers;
    }

    /// <summary>
    /// A gateway writes the port that clients know. Where a service leads from it to another port of the workload, that one is bound.
    /// </summary>
    private static List<int> Bound(MeshSnapshot index, Workload workload, int port)
    {
        var targets = index.ServedBy(workload).Where(s => s.Service.ServicePort == port).Select(s => s.Endpoint.Port).Distinct().ToList();
        return targets.Count == 0 ? [port] : targets;
    }

    private void Add(GatewayIntent gateway, GatewayServer server, int port)
    {
        var key = (port, server.Bind.Length > 0 ? server.Bind : Names.AnyAddress);
        if (!_ports.TryGetValue(key, out var list))
        {
            _ports.Add(key, list = []);
        }
        else if (ClassOf(list[0].Server.Protocol) != ClassOf(server.Protocol) || server.Protocol == ServerProtocol.Tcp)
        {
            Findings.Add(CompilerMessages.GatewayPortTaken.At(
                server.Origin, Names.Number(server.Port), list[0].Server.Protocol.ToString().ToUpperInvariant(), list[0].Gateway.FullName));
            return;
        }

        list.Add((gateway, server));
    }

    private static string ClassOf(ServerProtocol protocol) => protocol switch
    {
        ServerProtocol.Http => "plain",
        ServerProtocol.Tcp => "tcp",
        _ => "tls",
    };
}
