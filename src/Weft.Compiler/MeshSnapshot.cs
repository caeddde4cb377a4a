// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Analysis;
using Weft.Compiler.Index;
using Weft.Compiler.Outbound;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler;

/// <summary>
/// A world and its intents, arranged for lookup; made once per change and shared by the compilations of all clients. Immutable to its
/// users; it remembers what it compiled, and a snapshot made from a previous one takes over every part whose inputs are equal.
/// </summary>
public sealed class MeshSnapshot
{
    private readonly Identity<(string, string), Service> _services;
    private readonly Identity<(string, string, int), ServiceEndpoints> _endpoints;
    private readonly ClientScopes _scopes;
    private readonly Identity<(string, string), Workload> _workloads;
    private readonly Identity<(Type, Origin), MeshIntent> _intents;
    private readonly Dictionary<(string Namespace, string Name, string Address), List<(ServiceEndpoints, Endpoint)>> _served;
    private readonly Dictionary<ServiceEndpoints, EndpointFacts> _facts = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<PartKey, object> _shared = [];
    private readonly long _inherited;
    private EquatableArray<Diagnostic>? _diagnostics;

    private MeshSnapshot(MeshWorld world, IEnumerable<MeshIntent> intents, MeshSnapshot? previous)
    {
        World = world;
        Settings = previous is not null && previous.Settings == world.Settings ? previous.Settings : world.Settings;
        Parts = new PartCache(previous?.Parts);
        _inherited = Parts.Computed;
        var isSameWorld = previous is not null && ReferenceEquals(previous.World, world);
        _services = isSameWorld ? previous!._services : new(
            world.Services.Select(s => Exports.Applied(s, Settings.Exports)).DistinctBy(s => (s.EndpointNamespace, s.Host)).OrderBy(s => s.Host, StringComparer.Ordinal).ThenBy(s => s.EndpointNamespace, StringComparer.Ordinal),
            s => (s.EndpointNamespace, s.Host),
            previous?._services);
        _workloads = isSameWorld ? previous!._workloads : new(world.Workloads, w => (w.Namespace, w.Name), previous?._workloads);
        _endpoints = isSameWorld ? previous!._endpoints : new(world.Endpoints, e => (e.Namespace, e.ServiceHost, e.ServicePort), previous?._endpoints);
        (var resolved, DelegationFindings) = Delegation.Resolve(intents.Select(i => Exports.Applied(i, Settings.Exports)));
        _intents = new(resolved, i => (i.GetType(), i.Origin), previous?._intents);
        Routes = new RouteIndex(_intents.Items.OfType<RouteIntent>(), previous?.Routes);
        Destinations = new DestinationIndex(_intents.Items.OfType<DestinationIntent>(), Settings.RootNamespace, Parts);
        _scopes = new ClientScopes(_services.Items, _intents.Items.OfType<SidecarIntent>(), Routes, Settings, Parts);
        ClientSelectors = [.. Destinations.ClientSelectors.Concat(Routes.ClientSelectors).Concat(_scopes.ClientSelectors).Distinct()];
        PlaceLabels = [.. Destinations.PlaceLabels.Concat(_services.Items
            .SelectMany(s => s.Policy.Localities?.Value.FailoverPriority ?? [])).Select(l => l.Split('=')[0]).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)];
        MindsPlaces = Destinations.MindsPlaces || _services.Items.Any(s => s.Policy.Localities is not null);
        Gateways = new GatewayIndex(_intents.Items.OfType<GatewayIntent>(), _intents.Items.OfType<RouteIntent>());
        Credentials = new CredentialIndex(world.Credentials, Parts);
        Access = new AccessIndex(_intents.Items.OfType<AccessIntent>(), Settings);
        Peers = new PeerIndex(_intents.Items.OfType<PeerIntent>(), Settings.RootNamespace);
        _served = isSameWorld ? previous!._served : Served(_endpoints.Items);
    }

    /// <summary>Indexes a world. A predecessor gives its parts on and forgets where it had its own from.</summary>
    public static MeshSnapshot Create(MeshWorld world, IEnumerable<MeshIntent> intents, MeshSnapshot? previous = null) =>
        new(world, intents, previous);

    public MeshWorld World { get; }

    /// <summary>How many parts were compiled for this snapshot and not taken over; for tests and metrics.</summary>
    public int CompiledUnits => (int)(Parts.Computed - _inherited);

    internal MeshSettings Settings { get; }

    /// <summary>Sorted by host; of several for one host the one that counts where all are seen.</summary>
    internal IReadOnlyList<Service> Services => _scopes.Everything.Services;

    /// <summary>What a client sees; gateways see all that is visible to their namespace.</summary>
    internal ClientScope ScopeOf(Workload client, bool isGateway) => _scopes.Of(client, isGateway);

    internal SidecarIntent? SidecarOf(Workload client) => _scopes.SidecarOf(client);

    internal IReadOnlyList<MeshIntent> Intents => _intents.Items;

    /// <summary>What was wrong with rules that delegate.</summary>
    internal IReadOnlyList<Diagnostic> DelegationFindings { get; }

    internal RouteIndex Routes { get; }

    internal DestinationIndex Destinations { get; }

    internal PeerIndex Peers { get; }

    internal AccessIndex Access { get; }

    internal GatewayIndex Gateways { get; }

    internal CredentialIndex Credentials { get; }

    internal PartCache Parts { get; }

    /// <summary>Every condition on clients' labels; clients of a namespace that answer them alike have the same outbound plan.</summary>
    internal IReadOnlyList<LabelSelector> ClientSelectors { get; }

    /// <summary>True if any policy makes endpoints differ from one place to another; then clients of different places are told apart.</summary>
    internal bool MindsPlaces { get; }

    /// <summary>The labels by which policies compare places, sorted.</summary>
    internal IReadOnlyList<string> PlaceLabels { get; }

    /// <summary>Outbound plans by class of client.</summary>
    internal Dictionary<string, object> Outbound { get; } = new(StringComparer.Ordinal);

    /// <summary>Finds what was put together for another class of clients already; unlike parts it is forgotten with the snapshot.</summary>
    internal T Shared<T>(PartKey key, Func<T> make)
        where T : class
    {
        if (!_shared.TryGetValue(key, out var known))
        {
            _shared.Add(key, known = make());
        }

        return (T)known;
    }

    /// <summary>True if a workload port takes no mutual TLS, so that clients must speak plain text to it.</summary>
    internal bool IsPlainOnly(Endpoint endpoint) =>
        endpoint.Workload is { } workload && Peers.Of(workload).ModeOf(endpoint.Port) == PeerMode.Disable;

    /// <summary>Hosts that routes of the mesh name and no service has, sorted; looked for once for all clients.</summary>
    internal IReadOnlyList<string> UnknownHosts => field ??=
        [.. Routes.ExactHosts.Select(h => h.Key).Where(host => FindService(host) is null).Order(StringComparer.Ordinal)];

    /// <summary>Mesh-wide findings; made when they are asked for first.</summary>
    public EquatableArray<Diagnostic> Diagnostics => _diagnostics ??= MeshAnalysis.Run(this);

    /// <summary>
    /// Everything that the whole mesh shows, also what costs more than a compilation may: comparisons of each rule with those before it.
    /// </summary>
    public EquatableArray<Diagnostic> Analyze() => MeshAnalysis.RunAll(this);

    /// <summary>
    /// Patches for a workload's proxy, in the order in which they apply: by priority, the root namespace before its own, the older first.
    /// </summary>
    public IReadOnlyList<PlanPatch> PatchesFor(Workload workload) =>
    [
        .. Intents.OfType<PatchIntent>()
            .Where(i => (i.Origin.Namespace == Settings.RootNamespace || i.Origin.Namespace == workload.Namespace) && i.Clients.Selects(workload.Labels))
            .OrderBy(i => i.Priority).ThenByDescending(i => i.Origin.Namespace == Settings.RootNamespace).ThenBy(i => i.CreatedAt)
            .ThenBy(i => $"{i.Origin.Name}.{i.Origin.Namespace}", StringComparer.Ordinal)
            .SelectMany(i => i.Patches),
    ];

    /// <summary>What clusters must know about the endpoints of a service port.</summary>
    internal EndpointFacts Facts(Service service, int port)
    {
        if (FindEndpoints(service, port) is not { } source)
        {
            return EndpointFacts.None;
        }

        if (!_facts.TryGetValue(source, out var facts))
        {
            _facts.Add(source, facts = EndpointFacts.Of(this, source));
        }

        return facts;
    }

    internal Service? FindService(string host) => _scopes.Everything.Find(host);

    /// <summary>The service that endpoints are of.</summary>
    internal Service? FindService(ServiceEndpoints endpoints) => _services.Find((endpoints.Namespace, endpoints.ServiceHost));

    internal ServiceEndpoints? FindEndpoints(Service service, int port) => _endpoints.Find((service.EndpointNamespace, service.Host, port));

    private static Dictionary<(string Namespace, string Name, string Address), List<(ServiceEndpoints, Endpoint)>> Served(IEnumerable<ServiceEndpoints> all)
    {
        var served = new Dictionary<(string Namespace, string Name, string Address), List<(ServiceEndpoints, Endpoint)>>();
        foreach (var endpoints in all)
        {
            foreach (var endpoint in endpoints.Endpoints)
            {
                if (endpoint.Workload is { } workload)
                {
                    var key = (workload.Namespace, workload.Name, workload.Address);
                    if (!served.TryGetValue(key, out var list))
                    {
                        served.Add(key, list = []);
                    }

                    list.Add((endpoints, endpoint));
                }
            }
        }

        return served;
    }

    /// <summary>The service ports that lead to a workload, in the order of the world.</summary>
    internal IReadOnlyList<(ServiceEndpoints Service, Endpoint Endpoint)> ServedBy(Workload workload) =>
        _served.GetValueOrDefault((workload.Namespace, workload.Name, workload.Address)) ?? [];
}
