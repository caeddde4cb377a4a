// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Intent;
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
    private readonly ClientScope _scope;
    private readonly SortedSet<int> _httpPorts = [];
    private readonly SortedDictionary<int, AnyAddressChains> _anyAddress = [];
    private readonly Dictionary<string, ListenerPlan> _listeners = new(StringComparer.Ordinal);
    private readonly HashSet<int> _grpcPorts;

    /// <summary>Makes the listeners of all services; they are the same for all clients that see the same.</summary>
    public OutboundListeners(MeshSnapshot index, ClientScope scope, bool needsWebPort)
    {
        _index = index;
        _scope = scope;
        _grpcPorts = GrpcPorts(scope, needsWebPort);
        Put(_index.Parts.Get(new PartKey("listener", index.Settings, null, null, $"{Names.VirtualOutbound} {Elsewhere}"), VirtualOutbound));
        if (needsWebPort)
        {
            _httpPorts.Add(RouteTables.WebPort);
        }

        foreach (var service in scope.Services)
        {
            foreach (var port in service.Ports)
            {
                if (port.Protocol != PortProtocol.Udp)
                {
                    Add(service, port);
                }
            }
        }

        foreach (var listener in scope.Listeners)
        {
            Put(OwnListener(listener));
        }

        foreach (var port in _httpPorts.Union(_anyAddress.Keys))
        {
            AddAnyAddress(port);
        }

        All = _listeners.Values.OrderBy(l => l.Name, StringComparer.Ordinal).ToEquatableArray();
    }

    /// <summary>Sorted by name.</summary>
    public EquatableArray<ListenerPlan> All { get; }

    private string Elsewhere => _scope.Elsewhere;

    /// <summary>
    /// Where connections to a service are taken; one that has no address of its own shares that of all. Of one whose addresses the mesh has given
    /// only clients know that ask the mesh's DNS, so that it has both.
    /// </summary>
    public static IEnumerable<string> AddressesOf(Service service)
    {
        var own = service.Addresses.Where(a => !IsNetwork(a));
        return service.IsEntry && service.Addresses.All(a => IsNetwork(a) || IsGiven(a)) ? own.Prepend(Names.AnyAddress) : own;
    }

    private static bool IsGiven(string address) => address.StartsWith(Names.GivenPrefix, StringComparison.Ordinal);

    private static bool IsNetwork(string address) => address.Contains('/');

    /// <summary>
    /// Ports where gRPC-Web may become gRPC. Services that share a port share its listener, so all of them must speak gRPC: another one may
    /// understand gRPC-Web itself. Where one does not, the server's own proxy is still there to translate.
    /// </summary>
    private static HashSet<int> GrpcPorts(ClientScope scope, bool needsWebPort)
    {
        var grpc = new HashSet<int>();
        var other = new HashSet<int>(needsWebPort ? [RouteTables.WebPort] : []);
        foreach (var service in scope.Services)
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
            _httpPorts.Add(port.Port);
        }

        if (Protocols.IsHttp(port.Protocol))
        {
            return;
        }

        foreach (var address in AddressesOf(service))
        {
            if (address == Names.AnyAddress)
            {
                AddShared(service, port);
            }
            else
            {
                AddAddress(service, port, address, port.Port, "");
            }
        }

        // Clients of a headless service connect to its endpoints themselves, at the endpoints' own port.
        foreach (var endpoint in service.Headless ? _index.FindEndpoints(service, port.Port)?.Endpoints ?? [] : [])
        {
            AddAddress(service, port, endpoint.Address, endpoint.Port, endpoint.Address);
        }
    }

    /// <summary>An entry without an address: TLS is told by the name that the client asks for, networks by the address, the rest is the oldest's.</summary>
    private void AddShared(Service service, ServicePort port)
    {
        if (!_anyAddress.TryGetValue(port.Port, out var chains))
        {
            _anyAddress.Add(port.Port, chains = new AnyAddressChains());
        }

        var networks = service.Addresses.Where(IsNetwork).ToEquatableArray();
        EquatableArray<string> names = port.Protocol == PortProtocol.Tls ? [service.Host] : [];
        var chain = _index.Parts.Get(new PartKey("shared chain", service, port, null, ""), () => Shared(service, port, networks, names));
        if (networks.Count + names.Count > 0)
        {
            chains.Told.Add(chain);
        }
        else if (chains.Rest is null || service.CreatedAt < chains.RestCreatedAt)
        {
            (chains.Rest, chains.RestCreatedAt) = (chain, service.CreatedAt);
        }
    }

    private static ChainPlan Shared(Service service, ServicePort port, EquatableArray<string> networks, EquatableArray<string> names)
    {
        var cluster = Names.Outbound(port.Port, "", service.Host);
        var match = ChainMatchPlan.Any with
        {
            DestinationPrefixes = networks,
            ServerNames = names,
            TransportProtocol = names.Count > 0 ? "tls" : "",
        };
        return new ChainPlan(
            names.Count > 0 ? $"tls-{service.Host}" : "tcp",
            match,
            null,
            null,
            Defaults.Tcp(cluster, cluster) with { MaxConnectAttempts = Defaults.ConnectAttempts });
    }

    /// <summary>The listener of a port for whatever address: HTTP is told by its host.</summary>
    private void AddAnyAddress(int port)
    {
        var name = Names.Listener(Names.AnyAddress, port);
        var grpcWeb = _grpcPorts.Contains(port);
        var isHttp = _httpPorts.Contains(port);
        var chains = _anyAddress.GetValueOrDefault(port) ?? AnyAddressChains.None;
        var key = $"{(grpcWeb ? "grpc " : isHttp ? "" : "tcp ")}{name} {Elsewhere}";
        Put(_index.Parts.GetList(
            new PartKey("listener", null, null, null, key),
            [_index.Settings, .. chains.Told, .. chains.Rest is { } rest ? [rest] : Array.Empty<object>()],
            () => AnyAddress(name, port, isHttp ? Http(name, Names.Number(port), grpcWeb) : null, chains)));
    }

    /// <summary>A listener that the operator wrote down: HTTP has the routes of its port, anything else is the first service's.</summary>
    private ListenerPlan OwnListener(SidecarEgress listener)
    {
        var name = Names.Listener(listener.Address, listener.Port);
        var service = _scope.Services.FirstOrDefault(s => s.Ports.Any(p => p.Port == listener.Port && !Protocols.IsHttp(p.Protocol)));
        var cluster = service is null ? Names.BlackHole : Names.Outbound(listener.Port, "", service.Host);
        var isHttp = Protocols.IsHttp(listener.Protocol) && _httpPorts.Contains(listener.Port);
        var chain = isHttp
            ? Http(name, Names.Number(listener.Port)) with { Match = ChainMatchPlan.Any }
            : new ChainPlan("tcp", ChainMatchPlan.Any, null, null, Defaults.Tcp(cluster, cluster));
        return new ListenerPlan(
            name, listener.Address, listener.Port, TrafficDirection.Outbound, listener.IsBound, false, false, false, 0, [chain], null);
    }

    private void AddAddress(Service service, ServicePort port, string address, int number, string pod)
    {
        var name = Names.Listener(address, number);
        Put(_index.Parts.Get(
            new PartKey("listener", service, port, _index.Settings, name),
            () => Address(name, address, number, service, port, Names.Outbound(port.Port, pod, service.Host))));
    }

    private ListenerPlan Address(
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
            _index.Settings.InspectTimeoutMs,
            [Http(name, table)],
            tcp);
    }

    private ListenerPlan AnyAddress(string name, int port, ChainPlan? http, AnyAddressChains chains) => new(
        name,
        Names.AnyAddress,
        port,
        TrafficDirection.Outbound,
        false,
        false,
        http is not null || chains.Told.Exists(c => c.Match.ServerNames.Count > 0),
        http is not null,
        http is null && chains.Told.Count > 0 ? _index.Settings.InspectTimeoutMs : 0,
        http is null ? [.. chains.Told] : [.. chains.Told, http],
        chains.Rest ?? new ChainPlan("tcp", ChainMatchPlan.Any, null, null, Defaults.Tcp(Elsewhere, Elsewhere)));

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

    private ChainPlan Http(string listener, string table, bool grpcWeb = false) => new(
        "http",
        ChainMatchPlan.Any with { TransportProtocol = "raw_buffer", ApplicationProtocols = [.. Defaults.SniffedHttp] },
        null,
        new HttpChainPlan($"outbound_{listener}", table, null, TrafficDirection.Outbound) { GrpcWeb = grpcWeb, Path = _index.Settings.Path },
        null);

    private void Put(ListenerPlan listener) => _listeners.TryAdd(listener.Name, listener);

    /// <summary>What entries without an address want of a port: chains that are told apart, and one for the rest.</summary>
    private sealed class AnyAddressChains
    {
        public static AnyAddressChains None { get; } = new();

        public List<ChainPlan> Told { get; } = [];

        public ChainPlan? Rest { get; set; }

        public DateTimeOffset RestCreatedAt { get; set; }
    }
}
