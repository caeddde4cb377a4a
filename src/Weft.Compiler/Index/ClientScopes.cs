// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>What clients see: everything, unless a service is not for their namespace or a sidecar intent narrows it.</summary>
internal sealed class ClientScopes
{
    private const string Any = "*";

    private readonly IReadOnlyList<Service> _services;
    private readonly List<SidecarIntent> _sidecars;
    private readonly RouteIndex _routes;
    private readonly MeshSettings _settings;
    private readonly bool _hasPrivate;
    private readonly PartCache _parts;
    private readonly Dictionary<(string, SidecarIntent?), ClientScope> _known = [];

    public ClientScopes(IReadOnlyList<Service> services, IEnumerable<SidecarIntent> sidecars, RouteIndex routes, MeshSettings settings, PartCache parts)
    {
        (_services, _routes, _settings, _parts) = (services, routes, settings, parts);
        _sidecars = [.. sidecars.Order(IntentAge.Oldest).Cast<SidecarIntent>()];
        _hasPrivate = services.Any(s => !s.Visibility.Everybody);
        Everything = Scope("", null, OneForEach(services, ""), visible => new ClientScope(visible, settings.AllowAnyOutbound));

        // Two entries for one host: which of them counts depends on the client's namespace.
        _hasPrivate |= Everything.Services.Count < services.Count;
    }

    public ClientScope Everything { get; }

    public IEnumerable<LabelSelector> ClientSelectors => _sidecars.Select(s => s.Clients).OfType<LabelSelector>();

    /// <summary>The intent for a workload: one that selects it, else its namespace's, else the mesh's; of several the oldest.</summary>
    public SidecarIntent? SidecarOf(Workload client) =>
        _sidecars.Find(s => s.Origin.Namespace == client.Namespace && s.Clients is { } own && own.Selects(client.Labels))
        ?? _sidecars.Find(s => s.Origin.Namespace == client.Namespace && s.Clients is null)
        ?? _sidecars.Find(s => s.Origin.Namespace == _settings.RootNamespace && s.Clients is null);

    public ClientScope Of(Workload client, bool isGateway)
    {
        var sidecar = isGateway ? null : SidecarOf(client);
        if (!_hasPrivate && sidecar is null)
        {
            return Everything;
        }

        if (!_known.TryGetValue((client.Namespace, sidecar), out var scope))
        {
            _known.Add((client.Namespace, sidecar), scope = Make(client.Namespace, sidecar));
        }

        return scope;
    }

    private ClientScope Make(string ns, SidecarIntent? sidecar)
    {
        var visible = OneForEach(_services.Where(s => s.Visibility.Includes(ns)), ns);
        var allowsAny = sidecar?.AllowsAnyOutbound ?? _settings.AllowAnyOutbound;
        var proxy = sidecar?.EgressProxy is { } destination ? ClusterOf(visible, destination) : null;
        if (sidecar?.Imports is not { } imports)
        {
            return Scope(ns, sidecar, visible, seen => new ClientScope(seen, allowsAny) { EgressProxy = proxy, Listeners = sidecar?.Egress ?? [] }, proxy);
        }

        bool IsImported(string hostNamespace, string host) => imports.Any(i => Matches(i, hostNamespace, host));
        var needed = Needed(ns, IsImported);
        needed.Add(sidecar.EgressProxy?.Host ?? "");
        var narrowed = visible.Select(s => needed.Contains(s.Host) ? s : Narrow(s, imports)).OfType<Service>().ToList();
        return Scope(
            ns, sidecar, narrowed, seen => new ClientScope(seen, allowsAny, IsImported) { EgressProxy = proxy, Listeners = sidecar.Egress }, proxy);
    }

    /// <summary>The same object as long as the same is seen, since much is made from all of it; how it is narrowed is the sidecar's to say.</summary>
    private ClientScope Scope(string ns, SidecarIntent? sidecar, List<Service> services, Func<List<Service>, ClientScope> make, string? proxy = null) =>
        _parts.GetList(new PartKey("scope", sidecar, _settings, null, $"{ns} {proxy}"), [.. services], () => make(services));

    private static string ClusterOf(List<Service> visible, Destination destination)
    {
        var only = visible.Find(s => s.Host == destination.Host) is { Ports: [var first, ..] } ? first.Port : 0;
        var port = destination.Port > 0 ? destination.Port : only;
        return Names.Outbound(port, destination.Subset, destination.Host);
    }

    /// <summary>Hosts that the rules of imported hosts send to; without them the rules would lead nowhere.</summary>
    private HashSet<string> Needed(string ns, Func<string, string, bool> isImported)
    {
        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (host, routes) in _routes.ExactHosts)
        {
            foreach (var route in routes.Where(r => r.Visibility.Includes(ns) && isImported(r.Origin.Namespace, host)))
            {
                needed.UnionWith(route.Http.SelectMany(r => r.Destinations.Concat(r.Mirrors.Select(m => m.Destination)))
                    .Concat(route.Tls.Concat(route.Tcp).SelectMany(r => r.Destinations)).Select(d => d.Host));
            }
        }

        return needed;
    }

    private Service? Narrow(Service service, EquatableArray<HostImport> imports)
    {
        var matching = imports.Where(i => Matches(i, service.Namespace, service.Host)).ToList();
        if (matching.Count == 0 || matching.Exists(i => i.Port == 0))
        {
            return matching.Count == 0 ? null : service;
        }

        var ports = service.Ports.Where(p => matching.Exists(i => i.Port == p.Port)).ToEquatableArray();
        return ports.Count == 0 ? null : ports.Count == service.Ports.Count ? service
            : _parts.Get(new PartKey("narrowed", service, null, null, string.Join(' ', ports.Select(p => p.Port))), () => service with { Ports = ports });
    }

    private static bool Matches(HostImport import, string ns, string host) =>
        (import.Namespace == Any || import.Namespace == ns) && (import.Host == Any || HostPattern.Matches(import.Host, host));

    /// <summary>A service of the cluster comes before entries for its host, an entry of the own namespace before others, then the oldest.</summary>
    private static List<Service> OneForEach(IEnumerable<Service> services, string ns)
    {
        var chosen = new List<Service>();
        foreach (var service in services)
        {
            if (chosen.Count == 0 || chosen[^1].Host != service.Host)
            {
                chosen.Add(service);
            }
            else if (Rank(service, ns).CompareTo(Rank(chosen[^1], ns)) < 0)
            {
                chosen[^1] = service;
            }
        }

        return chosen;
    }

    private static (bool, bool, DateTimeOffset, string) Rank(Service service, string ns) =>
        (service.IsEntry, service.Namespace != ns, service.CreatedAt, service.Namespace);
}
