// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Control.Sources;
using Weft.Dialects;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Control.Analysis;

/// <summary>
/// What the mesh shows about one object that is about to be stored. Only what the object names is looked up, and of that never more than a
/// fixed number of objects: a write costs the same in a mesh of any size. What could not be looked up is not found fault with.
/// </summary>
public static class AdmissionAnalysis
{
    /// <summary>Services and gateways that are looked up for one object.</summary>
    public const int MaxNamed = 16;

    /// <summary>Rules about destinations that are read for one object.</summary>
    public const int MaxRules = 24;

    private static readonly HashSet<string> _shown =
    [
        CompilerMessages.UnknownHost.Id, CompilerMessages.UnknownSubset.Id, CompilerMessages.UnknownPort.Id, CompilerMessages.PortNotSaid.Id,
        CompilerMessages.UnknownGateway.Id, CompilerMessages.HostNotAtGateway.Id, CompilerMessages.RuleWithoutService.Id, CompilerMessages.ShadowedRule.Id,
        CompilerMessages.ManyRetries.Id, CompilerMessages.PerTryTimeoutNeverFires.Id, CompilerMessages.FailoverWithoutDetection.Id,
    ];

    /// <summary>The findings about an object.</summary>
    /// <param name="item">The object.</param>
    /// <param name="find">By resource, namespace and name; null if there is none.</param>
    /// <param name="list">By resource and namespace; only the first of them are asked for.</param>
    public static IReadOnlyList<Diagnostic> Run(
        JsonObject item, Func<string, string, string, JsonObject?> find, Func<string, string, IEnumerable<JsonObject>> list)
    {
        ArgumentNullException.ThrowIfNull(find);
        ArgumentNullException.ThrowIfNull(list);
        var parsed = Dialects.Dialects.ParseObject(item);
        if (!parsed.IsValid || parsed.Intent is not (RouteIntent or DestinationIntent))
        {
            return [];
        }

        var state = new MeshState(MeshSettings.Default);
        Add(state, parsed);
        var route = parsed.Intent as RouteIntent;
        var destinations = route is null
            ? []
            : route.Http.SelectMany(r => r.Destinations.Concat(r.Mirrors.Select(m => m.Destination))).Concat(route.Tls.Concat(route.Tcp).SelectMany(r => r.Destinations)).ToList();
        var hosts = destinations.Select(d => d.Host).Concat(parsed.Intent is DestinationIntent rule ? [rule.Host] : []).Distinct(StringComparer.Ordinal).ToList();
        var namespaces = new HashSet<string>(StringComparer.Ordinal) { parsed.Origin.Namespace, MeshSettings.Default.RootNamespace };
        var unknown = hosts.Skip(MaxNamed).ToHashSet(StringComparer.Ordinal);
        foreach (var host in hosts.Take(MaxNamed))
        {
            if (ServiceOf(host) is not var (name, ns))
            {
                unknown.Add(host);
                continue;
            }

            namespaces.Add(ns);
            Add(state, find("services", ns, name), "v1", "Service");
        }

        var rulesAreKnown = destinations.TrueForAll(d => d.Subset.Length == 0) || AddRules(state, namespaces, list);
        foreach (var name in (route?.Gateways ?? []).Where(name => name.Contains('/', StringComparison.Ordinal)).Take(MaxNamed))
        {
            Add(state, find("gateways.networking.istio.io", name.Split('/')[0], name.Split('/')[1]), "networking.istio.io/v1", "Gateway");
        }

        return
        [
            .. state.Snapshot().Analyze().Where(f => _shown.Contains(f.Id) && f.Origin.Kind == parsed.Origin.Kind && f.Origin.Name == parsed.Origin.Name
                && f.Origin.Namespace == parsed.Origin.Namespace && (rulesAreKnown || f.Id != CompilerMessages.UnknownSubset.Id)
                && !unknown.Any(host => f.Fact.Contains($"'{host}'", StringComparison.Ordinal))),
        ];
    }

    /// <summary>False if there are more than are read: a subset may be in one of the others.</summary>
    private static bool AddRules(MeshState state, HashSet<string> namespaces, Func<string, string, IEnumerable<JsonObject>> list)
    {
        var read = 0;
        foreach (var ns in namespaces)
        {
            var rules = list("destinationrules.networking.istio.io", ns).Take(MaxRules - read + 1).ToList();
            read += rules.Count;
            if (read > MaxRules)
            {
                return false;
            }

            foreach (var rule in rules)
            {
                Add(state, rule, "networking.istio.io/v1", "DestinationRule");
            }
        }

        return true;
    }

    private static (string Name, string Namespace)? ServiceOf(string host) =>
        host.EndsWith(".svc." + MeshSettings.Default.DomainSuffix, StringComparison.Ordinal) && host.Split('.') is [var name, var ns, ..] && name != "*" ? (name, ns) : null;

    private static void Add(MeshState state, JsonObject? item, string apiVersion, string kind)
    {
        if (item is null)
        {
            return;
        }

        item["apiVersion"] ??= apiVersion;
        item["kind"] ??= kind;
        Add(state, Dialects.Dialects.ParseObject(item));
    }

    private static void Add(MeshState state, ParsedObject parsed)
    {
        var group = parsed.ApiVersion.IndexOf('/', StringComparison.Ordinal) is var slash and > 0 ? parsed.ApiVersion[..slash] : "";
        state.Apply(new ObjectKey(group, parsed.Origin.Kind, parsed.Origin.Namespace, parsed.Origin.Name), parsed);
    }
}
