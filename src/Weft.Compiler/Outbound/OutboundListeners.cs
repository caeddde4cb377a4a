// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>
/// Listeners of an outbound plan: the capturing one, one a port for HTTP, one an address and port for TCP and for ports whose protocol
/// must be found out.
/// </summary>
internal sealed class OutboundListeners
{
    private readonly MeshSnapshot _index;
    private readonly Dictionary<string, ListenerPlan> _listeners = new(StringComparer.Ordinal);
    private readonly HashSet<int> _grpcPorts;

    /// <summary>Makes the listeners of all services; they are the same for all clients.</summary>
    public OutboundListeners(MeshSnapshot index, bool needsWebPort)
    {
        _index = index;
        _grpcPorts = GrpcPorts(index, needsWebPort);
        Put(_index.Parts.Get(new PartKey("listener", index.Settings, null, null, Names.VirtualOutbound), VirtualOutbound));
        if (needsWebPort)
        {
            AddHttpPort(RouteTables.WebPort);
        }

        foreach (var service in index.Services)
        {
            foreach (var port in service.Ports)
            {
                if (port.Protocol != PortProtocol.Udp)
                {
                    Add(service, port);
                }
            }
        }

        All = _listeners.Values.OrderBy(l => l.Name, StringComparer.Ordinal).ToEquatableArray();
    }

    /// <summary>Sorted by name.</summary>
    public EquatableArray<ListenerPlan> All { get; }

    private string Elsewhere => _index.Settings.AllowAnyOutbound ? Names.Passthrough : Names.BlackHole;

    /// <summary>
    /// Ports where gRPC-Web may become gRPC. Services that share a port share its listener, so all of them must speak gRPC: another one may
    /// understand gRPC-Web itself. Where one does not, the server's own proxy is still there to translate.
    /// </summary>
    private static HashSet<int> GrpcPorts(MeshSnapshot index, bool needsWebPort)
    {
        var grpc = new HashSet<int>();
        var other = new HashSet<int>(needsWebPort ? [RouteTables.WebPort] : []);
        foreach (var service in index.Services)
        {
            foreach (var port in service.Ports)
            {
                if (IsWithHttp(service, port))
                {
                    (port.Protocol == PortProtocol.Grpc ? grpc : other).Add(port.Port);
                }
            }
        }

        grpc.ExceptWith(other);
        return grpc;
    }

    private static bool IsWithHttp(Service service, ServicePort port) =>
        Protocols.IsHttp(port.Protocol) || (service.Headless && Protocols.IsSniffed(port.Protocol));

    private void Add(Service service, ServicePort port)
    {
        if (IsWithHttp(service, port))
        {
            AddHttpPort(port.Port);
        }

        if (Protocols.IsHttp(port.Protocol))
        {
            return;
        }

        foreach (var address in service.Addresses)
        {
            AddAddress(service, port, address, port.Port, "");
        }

        // Clients of a headless service connect to its endpoints themselves, at the endpoints' own port.
        foreach (var endpoint in service.Headless ? _index.FindEndpoints(service.Host, port.Port)?.Endpoints ?? [] : [])
        {
            AddAddress(service, port, endpoint.Address, endpoint.Port, endpoint.Address);
        }
    }

    private void AddHttpPort(int port)
    {
        var name = Names.Listener(Names.AnyAddress, port);
        if (!_listeners.ContainsKey(name))
        {
            var grpcWeb = _grpcPorts.Contains(port);
            Put(_index.Parts.Get(
                new PartKey(grpcWeb ? "grpc listener" : "listener", _index.Settings, null, null, name), () => HttpPort(name, port, grpcWeb)));
        }
    }

    private void AddAddress(Service service, ServicePort port, string address, int number, string pod)
    {
        var name = Names.Listener(address, number);
        Put(_index.Parts.Get(
            new PartKey("listener", service, port, _index.Settings, name),
            () => Address(name, address, number, service, port, Names.Outbound(port.Port, pod, service.Host))));
    }

    private static ListenerPlan Address(
        string name, string address, int number, Service service, ServicePort port, string cluster)
    {
        var proxied = Defaults.Tcp(cluster, cluster) with { MaxConnectAttempts = Defaults.ConnectAttempts };
        var tcp = new ChainPlan("tcp", ChainMatchPlan.Any, null, null, proxied);
        if (!Protocols.IsSniffed(port.Protocol))
        {
            return new ListenerPlan(
                name, address, number, TrafficDirection.Outbound, false, false, false, false, 0, [tcp], null);
        }

        var table = service.Headless ? Names.Number(port.Port) : Names.HostPort(service.Host, port.Port);
        return new ListenerPlan(
            name,
            address,
            number,
            TrafficDirection.Outbound,
            false,
            false,
            true,
            true,
            Defaults.InspectTimeoutMs,
            [Http(name, table)],
            tcp);
    }

    private ListenerPlan HttpPort(string name, int port, bool grpcWeb) => new(
        name,
        Names.AnyAddress,
        port,
        TrafficDirection.Outbound,
        false,
        false,
        true,
        true,
        0,
        [Http(name, Names.Number(port), grpcWeb)],
        new ChainPlan("tcp", ChainMatchPlan.Any, null, null, Defaults.Tcp(Elsewhere, Elsewhere)));

    private ListenerPlan VirtualOutbound() => new(
        Names.VirtualOutbound,
        Names.AnyAddress,
        Names.OutboundPort,
        TrafficDirection.Outbound,
        true,
        true,
        false,
        false,
        0,
        [
            // A connection to the capturing port itself would come back to it for ever.
            new ChainPlan(
                "virtualOutbound-blackhole",
                ChainMatchPlan.Any with { DestinationPort = Names.OutboundPort },
                null,
                null,
                Defaults.Tcp(Names.BlackHole, Names.BlackHole)),
        ],
        new ChainPlan("virtualOutbound-catchall-tcp", ChainMatchPlan.Any, null, null, Defaults.Tcp(Elsewhere, Elsewhere)));

    private static ChainPlan Http(string listener, string table, bool grpcWeb = false) => new(
        "http",
        ChainMatchPlan.Any with { TransportProtocol = "raw_buffer", ApplicationProtocols = [.. Defaults.SniffedHttp] },
        null,
        new HttpChainPlan($"outbound_{listener}", table, null, TrafficDirection.Outbound) { GrpcWeb = grpcWeb },
        null);

    private void Put(ListenerPlan listener) => _listeners.TryAdd(listener.Name, listener);
}
