// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Inbound;

/// <summary>
/// The inbound half of a plan: one listener, with the chains of every workload port, and a cluster for each; and one for HBONE where the
/// workload speaks it.
/// </summary>
internal sealed record InboundPlan(IReadOnlyList<ListenerPlan> Listeners, IReadOnlyList<ClusterPlan> Clusters)
{
    /// <summary>Names of the secrets that its TLS needs.</summary>
    public IEnumerable<string> Secrets { get; private init; } = [];

    private const string Loopback = "127.0.0.1";

    public static InboundPlan Compile(MeshSnapshot index, Workload workload)
    {
        var peers = index.Peers.Of(workload);
        var access = index.Access.Of(workload);
        var sidecar = index.SidecarOf(workload);
        var ports = sidecar?.Ingress is { } ingress ? PortsOf(index, workload, ingress) : PortsOf(index, workload);
        var chains = new List<ChainPlan>
        {
            // A connection to the capturing port itself would come back to it for ever.
            new(
                "virtualInbound-blackhole",
                ChainMatchPlan.Any with { DestinationPort = Names.InboundPort },
                null,
                null,
                Defaults.Tcp(Names.BlackHole, Names.BlackHole)),
        };
        var clusters = new List<ClusterPlan>
        {
            Defaults.OriginalDestination(Names.InboundPassthrough, TrafficDirection.Inbound, index.Settings.ConnectTimeoutMs),
        };
        var builder = new InboundChains(index.Settings, peers.Origin);
        foreach (var (port, service, protocol, target) in ports)
        {
            // The operator's own TLS ends where the mesh's is turned off; elsewhere peers come with the mesh's.
            var own = peers.ModeOf(port) == PeerMode.Disable ? target?.Tls : null;
            chains.AddRange(own is null ? builder.ForPort(port, protocol, peers.ModeOf(port)) : builder.ForOwnTls(port, protocol, own));
            clusters.Add(Limited(ClusterOf(index, port, target) with { Service = service }, target?.Limits ?? sidecar?.InboundLimits));
        }

        foreach (var mode in peers.Ports)
        {
            if (mode.Mode != PeerMode.Unset && !ports.Exists(p => p.Port == mode.Port))
            {
                chains.AddRange(builder.ForUnknownPort(mode.Port, mode.Mode));
            }
        }

        chains.AddRange(builder.ForUnknownPort(0, peers.Mode));
        var captured = new ListenerPlan(
            Names.VirtualInbound,
            Names.AnyAddress,
            Names.InboundPort,
            TrafficDirection.Inbound,
            true,
            true,
            true,
            true,
            index.Settings.InspectTimeoutMs,

            // Every chain, whoever made it: what leads to the application past its policies would be a way round them.
            [.. chains.Select(chain => chain with { Authorization = access.For(chain.Http is not null) })],
            null)
        {
            MoreAddresses = Names.BesideAnyAddress(workload),
        };
        return new InboundPlan(workload.SpeaksHbone ? [captured, HboneListener.Compile(index.Settings, workload, access)] : [captured], clusters)
        {
            Secrets = (sidecar?.Ingress ?? []).AsEnumerable().SelectMany(i => i.Tls is null ? [] : Gateways.GatewayTls.Secrets(i.Tls)).Distinct(StringComparer.Ordinal),
        };
    }

    private static ClusterPlan Limited(ClusterPlan cluster, ConnectionLimits? limits) => limits is null ? cluster : cluster with
    {
        ConnectTimeoutMs = limits.ConnectTimeoutMs > 0 ? limits.ConnectTimeoutMs : cluster.ConnectTimeoutMs,
        MaxRequestsPerConnection = limits.MaxRequestsPerConnection,
        IdleTimeoutMs = limits.IdleTimeoutMs > 0 ? limits.IdleTimeoutMs : cluster.IdleTimeoutMs,
        Breaker = new CircuitBreakerPlan(limits.MaxConnections, limits.MaxPendingRequests, limits.MaxRequests, limits.MaxRetries, null),
        TcpKeepAlive = limits.TcpKeepAlive,
        MaxConnectionDurationMs = limits.MaxConnectionDurationMs,
        MaxConcurrentStreams = limits.MaxConcurrentStreams,
    };

    /// <summary>Ports of the workload that services lead to. Where several lead to one port, the first service by host names it.</summary>
    private static List<(int Port, ServiceNamePlan? Service, PortProtocol Protocol, SidecarIngress? Target)> PortsOf(MeshSnapshot index, Workload workload)
    {
        var ports = new SortedDictionary<int, (ServiceNamePlan, PortProtocol)>();
        foreach (var (endpoints, endpoint) in index.ServedBy(workload).OrderBy(s => s.Service.ServiceHost, StringComparer.Ordinal))
        {
            if (index.FindService(endpoints) is not { } service)
            {
                continue;
            }

            var port = service.Ports.FirstOrDefault(p => p.Port == endpoints.ServicePort);
            if (port is not null && port.Protocol != PortProtocol.Udp)
            {
                ports.TryAdd(
                    endpoint.Port, (new ServiceNamePlan(service.Host, service.Name, service.Namespace), ProtocolOf(workload, endpoint.Port, port)));
            }
        }

        return [.. ports.Select(p => (p.Key, (ServiceNamePlan?)p.Value.Item1, p.Value.Item2, (SidecarIngress?)null))];
    }

    /// <summary>Ports that were written down for the workload, in place of those of its services.</summary>
    private static List<(int Port, ServiceNamePlan? Service, PortProtocol Protocol, SidecarIngress? Target)> PortsOf(
        MeshSnapshot index, Workload workload, EquatableArray<SidecarIngress> ingress)
    {
        var known = PortsOf(index, workload);
        return
        [
            .. ingress.DistinctBy(i => i.Port).OrderBy(i => i.Port)
                .Select(i => (i.Port, known.FirstOrDefault(k => k.Port == i.Port).Service, i.Protocol, (SidecarIngress?)i)),
        ];
    }

    /// <summary>The application's own address as the client wanted it, unless the operator names another.</summary>
    private static ClusterPlan ClusterOf(MeshSnapshot index, int port, SidecarIngress? target)
    {
        var cluster = Defaults.OriginalDestination(Names.Inbound(port), TrafficDirection.Inbound, index.Settings.ConnectTimeoutMs);
        if (target is null ? !index.Settings.InboundToLoopback : target.Address.Length == 0 && target.TargetPort == port)
        {
            return cluster;
        }

        var address = target is { Address.Length: > 0 } ? target.Address : Loopback;
        return cluster with
        {
            Kind = ClusterKind.Static,
            Balancer = LoadBalancerKind.RoundRobin,
            StaticEndpoints = [new EndpointPlan(address, target?.TargetPort ?? port, 1, true, false, null)],
        };
    }

    private static PortProtocol ProtocolOf(Workload workload, int number, ServicePort port)
    {
        foreach (var range in workload.OpaquePorts)
        {
            if (range.Contains(number))
            {
                return PortProtocol.Tcp;
            }
        }

        return port.Protocol;
    }
}
