// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>
/// Route tables of an outbound plan: one a port for HTTP, one a service and port where the protocol is found out.
/// </summary>
internal sealed class RouteTables(MeshSnapshot index, ClientView view)
{
    public const int WebPort = 80;

    private readonly SortedDictionary<int, List<VirtualHostPlan>> _ports = [];
    private readonly List<RouteTablePlan> _single = [];
    private bool _hasUnknown;

    public IEnumerable<RouteTablePlan> All => _ports.Select(p => PortTable(p.Key, p.Value)).Concat(_single);

    public void Add(Service service, ServicePort port)
    {
        if (Protocols.IsHttp(port.Protocol) || (service.Headless && Protocols.IsSniffed(port.Protocol)))
        {
            Of(port.Port).Add(Host(service, port));
        }
        else if (Protocols.IsSniffed(port.Protocol))
        {
            var routes = RoutesOf(service, port.Port);
            _single.Add(index.Parts.Get(
                new PartKey("table", service, routes, null, Names.Number(port.Port)), () => SingleTable(service, port, routes)));
        }
    }

    /// <summary>Hosts that routes name and no service has are served on port 80; true if there are any.</summary>
    public bool AddUnknownHosts()
    {
        var found = false;
        foreach (var host in index.UnknownHosts)
        {
            if (Imported(index.Routes.Find(host, view.Client.Namespace), host))
            {
                found |= AddUnknown(host);
            }
        }

        foreach (var pattern in index.Routes.Wildcards.Select(w => w.Pattern).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (pattern.Length > 1 && !index.Services.Any(s => HostPattern.Matches(pattern, s.Host)) &&
                Imported(index.Routes.Wildcards.FirstOrDefault(w => w.Pattern == pattern).Intent, pattern))
            {
                found |= AddUnknown(pattern);
            }
        }

        _hasUnknown = found;
        return found;
    }

    private bool Imported(RouteIntent? intent, string host) => intent is not null && view.Scope.Imports(intent.Origin.Namespace, host);

    private bool AddUnknown(string host)
    {
        var intent = HostPattern.IsWildcard(host)
            ? index.Routes.Wildcards.FirstOrDefault(w => w.Pattern == host && w.Intent.Visibility.Includes(view.Client.Namespace)).Intent
            : index.Routes.Find(host, view.Client.Namespace);
        if (intent is null)
        {
            return false;
        }

        var routes = RouteCompiler.Compile(index, view, intent, WebPort);
        if (routes.Routes.Count == 0)
        {
            return false;
        }

        Of(WebPort).Add(index.Parts.Get(
            new PartKey("host", routes, null, null, host),
            () => new VirtualHostPlan(
                Names.HostPort(host, WebPort), [host, Names.HostPort(host, WebPort)], routes.Routes)));
        return true;
    }

    private List<VirtualHostPlan> Of(int port)
    {
        if (!_ports.TryGetValue(port, out var hosts))
        {
            _ports.Add(port, hosts = []);
        }

        return hosts;
    }

    private VirtualHostPlan Host(Service service, ServicePort port)
    {
        var near = service.Namespace == view.Client.Namespace;
        return index.Routes.Find(service.Host, view.Client.Namespace) is { Http.Count: > 0 }
            ? Host(service, port.Port, near)
            : index.Shared(
                new PartKey(near ? "near host" : "far host", service, port, view.Hash(service.Host, port.Port, ""), ""), () => Host(service, port.Port, near));
    }

    private VirtualHostPlan Host(Service service, int port, bool near)
    {
        var routes = RoutesOf(service, port);
        return index.Parts.Get(
            new PartKey(near ? "near host" : "host", service, routes, index.Settings, Names.Number(port)),
            () => new VirtualHostPlan(
                Names.HostPort(service.Host, port), Domains.Of(service, port, near, index.Settings.DomainSuffix), routes.Routes));
    }

    private RouteList RoutesOf(Service service, int port)
    {
        var intent = index.Routes.Find(service.Host, view.Client.Namespace);
        if (intent is { Http.Count: > 0 } && RouteCompiler.Compile(index, view, intent, port) is { Routes.Count: > 0 } written)
        {
            return written;
        }

        // Nobody routes it, or no rule is for this client.
        var hash = view.Hash(service.Host, port, "");
        var policy = service.Policy;
        return index.Parts.Get(
            new PartKey("default", hash, policy, index.Settings, Names.Outbound(port, "", service.Host)),
            () => new RouteList([RouteCompiler.Default(Names.Outbound(port, "", service.Host), hash, policy, index.Settings)]));
    }

    private static RouteTablePlan SingleTable(Service service, ServicePort port, RouteList routes) => new(
        Names.HostPort(service.Host, port.Port),
        [new VirtualHostPlan(Names.HostPort(service.Host, port.Port), ["*"], routes.Routes)]);

    private RouteTablePlan PortTable(int port, List<VirtualHostPlan> hosts)
    {
        hosts.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        hosts.Add(index.Parts.Get(new PartKey("elsewhere", index.Settings, null, null, view.Scope.Elsewhere), Elsewhere));
        return index.Parts.GetList(
            new PartKey("table", null, null, null, $"{port} {_hasUnknown}"),
            [view.Scope, .. hosts],
            () => new RouteTablePlan(
                Names.Number(port),
                !_hasUnknown && Domains.AreDistinct(index, view.Scope, port) ? hosts.ToEquatableArray() : Domains.WithoutDuplicates(hosts)));
    }

    private VirtualHostPlan Elsewhere() => view.Scope.AllowsAny
        ? new VirtualHostPlan(Names.AllowAny, ["*"], [Defaults.RouteTo(Names.AllowAny, view.Scope.Elsewhere, null)])
        : new VirtualHostPlan(Names.BlockAll, ["*"], [new RoutePlan(
            Names.BlockAll,
            RouteMatchPlan.Everything,
            null,
            null,
            new DirectResponsePlan(Defaults.BlockedStatus, ""),
            null,
            HeaderOperationsPlan.None,
            HeaderOperationsPlan.None,
            Origin.BuiltIn)]);
}
