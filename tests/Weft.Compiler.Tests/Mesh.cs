// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Tests;

/// <summary>Builds a world and intents in few words. Services get addresses 10.96.0.1, 10.96.0.2, ... in the order in which they are added.</summary>
internal sealed class Mesh
{
    private static readonly DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<Service> _services = [];
    private readonly List<Workload> _workloads = [];
    private readonly List<ServiceEndpoints> _endpoints = [];

    public List<MeshIntent> Intents { get; } = [];

    public List<Credential> Credentials { get; } = [];

    /// <summary>What services that are added from here on ask of their clients.</summary>
    public ServicePolicy Policy { get; set; } = ServicePolicy.None;

    /// <summary>What pods are that are added from here on.</summary>
    public Func<Workload, Workload> Changed { get; set; } = pod => pod;

    public MeshSettings Settings { get; set; } = MeshSettings.Default;

    public MeshWorld World => new(
        _services.ToEquatableArray(), _workloads.ToEquatableArray(), _endpoints.ToEquatableArray(), Settings)
    {
        Credentials = Credentials.ToEquatableArray(),
    };

    public static string Host(string service, string ns = "shop") => $"{service}.{ns}.svc.cluster.local";

    public Workload Pod(string name, string ns = "shop", string labels = "", string account = "", bool meshed = true)
    {
        var parsed = labels.Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => new Label(l.Split('=')[0], l.Split('=')[1])).ToEquatableArray();
        account = account.Length > 0 ? account : name;
        var names = new WorkloadNamePlan(name, ns, name, "latest", "Kubernetes", account, name, "");
        var pod = Changed(new Workload(
            name, ns, $"10.244.0.{_workloads.Count + 10}", parsed, account, meshed, names, [], _start));
        _workloads.Add(pod);
        return pod;
    }

    public Service Service(
        string name, int port, PortProtocol protocol = PortProtocol.Http, string ns = "shop", bool headless = false, params Workload[] pods) =>
        Service(name, [new ServicePort("", port, "8080", protocol)], ns, headless, pods);

    public Service Service(string name, ServicePort[] ports, string ns, bool headless, params Workload[] pods)
    {
        var host = Host(name, ns);
        EquatableArray<string> addresses = headless ? [] : [$"10.96.{_services.Count / 250}.{(_services.Count % 250) + 1}"];
        var service = new Service(name, ns, host, addresses, ports.ToEquatableArray(), headless) { Policy = Policy };
        _services.Add(service);
        foreach (var port in ports)
        {
            var target = int.Parse(port.TargetPort, System.Globalization.CultureInfo.InvariantCulture);
            _endpoints.Add(new ServiceEndpoints(
                host, port.Port, pods.Select(p => new Endpoint(p.Address, target, true, p)).ToEquatableArray()));
        }

        return service;
    }

    /// <summary>A host that is written down; its endpoints are addresses or names of a workload with the account vm.</summary>
    public Service Entry(
        string host,
        ServicePort[] ports,
        ServiceResolution resolution,
        string ns = "shop",
        string[]? addresses = null,
        string[]? endpoints = null,
        bool external = true,
        Visibility? visibility = null,
        int day = 0)
    {
        var service = new Service(host, ns, host, [.. addresses ?? []], [.. ports], false)
        {
            Resolution = resolution,
            IsEntry = true,
            IsExternal = external,
            SubjectAltNames = ["spiffe://cluster.local/ns/vm/sa/db"],
            Visibility = visibility ?? Visibility.All,
            CreatedAt = _start.AddDays(day),
        };
        _services.Add(service);
        var names = new WorkloadNamePlan("vm", ns, "vm", "latest", "Kubernetes", "vm", "vm", "");
        foreach (var port in ports)
        {
            var target = int.Parse(port.TargetPort, System.Globalization.CultureInfo.InvariantCulture);
            _endpoints.Add(new ServiceEndpoints(host, port.Port, (endpoints ?? []).Select(a => new Endpoint(
                a, target, true, new Workload("vm", ns, a, [], "vm", !external, names, [], _start))).ToEquatableArray())
            {
                Namespace = ns,
            });
        }

        return service;
    }

    public SidecarIntent Sidecar(
        string ns, LabelSelector? clients, EquatableArray<HostImport>? imports, bool? allows = null, EquatableArray<SidecarIngress>? ingress = null)
    {
        var origin = new Origin("istio", "Sidecar", ns, $"sidecar-{Intents.Count}", Position.None);
        var intent = new SidecarIntent(origin, _start, clients, imports, ingress, allows);
        Intents.Add(intent);
        return intent;
    }

    public RouteIntent Route(string host, params HttpRule[] rules) => Route("shop", host, 0, rules);

    public RouteIntent Route(string ns, string host, int day, params HttpRule[] rules)
    {
        var origin = new Origin("istio", "VirtualService", ns, $"routes-{Intents.Count}", Position.None);
        var intent = new RouteIntent(origin, _start.AddDays(day), [host], ["mesh"], Visibility.All, rules.ToEquatableArray());
        Intents.Add(intent);
        return intent;
    }

    /// <summary>Rules without hosts, for others to delegate to.</summary>
    public RouteIntent Delegate(string ns, string name, params HttpRule[] rules)
    {
        var origin = new Origin("istio", "VirtualService", ns, name, Position.None);
        var intent = new RouteIntent(origin, _start, [], [], Visibility.All, rules.ToEquatableArray());
        Intents.Add(intent);
        return intent;
    }

    public DestinationIntent Destination(string host, TrafficPolicy? policy = null, string ns = "shop", int day = 0, params Subset[] subsets)
    {
        var origin = new Origin("istio", "DestinationRule", ns, $"rule-{Intents.Count}", Position.None);
        var intent = new DestinationIntent(
            origin, _start.AddDays(day), host, Visibility.All, LabelSelector.Everything, policy ?? TrafficPolicy.None, subsets.ToEquatableArray());
        Intents.Add(intent);
        return intent;
    }

    public PeerIntent Peer(string ns, PeerMode mode, string? selector = null, int day = 0, params PeerPortMode[] ports)
    {
        var origin = new Origin("istio", "PeerAuthentication", ns, $"peer-{Intents.Count}", Position.None);
        var intent = new PeerIntent(
            origin, _start.AddDays(day), ns, selector is null ? null : Labels(selector), mode, ports.ToEquatableArray());
        Intents.Add(intent);
        return intent;
    }

    public CompiledPlan Compile(Workload client) => PlanCompiler.Compile(World, Intents, client);

    public Simulation From(Workload client) => new(Compile(client).Plan);

    public static Subset Subset(string name, string labels, TrafficPolicy? policy = null) =>
        new(name, Labels(labels), policy ?? TrafficPolicy.None, new Origin("istio", "DestinationRule", "shop", name, Position.None));

    public static LabelSelector Labels(string text) => new(
        text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(l => new Label(l.Split('=')[0], l.Split('=')[1])).ToEquatableArray());

    /// <summary>A block of a policy, written at the path that is given.</summary>
    public static Said<T> Say<T>(T value, string path = "trafficPolicy") =>
        new(value, new Origin("istio", "DestinationRule", "shop", "rule", Position.None, path));

    public static HttpRule Rule(params Destination[] to) => Rule([], to);

    public static HttpRule Rule(HttpMatch[] when, params Destination[] to) => new(
        "",
        when.ToEquatableArray(),
        to.ToEquatableArray(),
        null,
        null,
        null,
        0,
        null,
        null,
        HeaderOperationsPlan.None,
        HeaderOperationsPlan.None,
        new Origin("istio", "VirtualService", "shop", "rule", Position.None));

    public static Destination To(string host, string subset = "", int weight = 1, int port = 0) => new(
        host,
        subset,
        port,
        weight,
        HeaderOperationsPlan.None,
        HeaderOperationsPlan.None,
        new Origin("istio", "VirtualService", "shop", "destination", Position.None));

    public static HttpMatch Path(TextMatchKind kind, string value) => When(new RouteMatchPlan(new TextMatchPlan(kind, value), [], []));

    public static HttpMatch When(RouteMatchPlan request, int port = 0, string labels = "", string ns = "") =>
        new("", request, port, Labels(labels), ns, []);

    public static HeaderOperationsPlan Set(string name, string value) => new([new HeaderPlan(name, value)], [], []);
}
