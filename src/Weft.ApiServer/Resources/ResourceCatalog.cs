// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;

namespace Weft.ApiServer.Resources;

/// <summary>
/// The kinds that the server knows: the built-in ones, and those of custom resource definitions, which come and go while it
/// runs. Readers see one table at a time and never wait.
/// </summary>
public sealed class ResourceCatalog
{
    private static readonly string[] _inAll = ["all"];
    private static readonly string[] _istio = ["istio-io"];
    private static readonly string[] _istioNetworking = ["istio-io", "networking-istio-io"];
    private static readonly string[] _threeVersions = ["v1", "v1beta1", "v1alpha3"];
    private static readonly string[] _twoVersions = ["v1", "v1beta1"];

    private readonly ResourceDefinition[] _builtIn;
    private volatile Table _table;

    public ResourceCatalog(IEnumerable<ResourceDefinition> definitions)
    {
        _builtIn = [.. definitions];
        _table = new Table(_builtIn, 0);
    }

    public IReadOnlyList<ResourceDefinition> All => _table.All;

    /// <summary>Grows with every change of the kinds; what is made from them is made again then.</summary>
    public long Revision => _table.Revision;

    /// <summary>The kinds that no definition made.</summary>
    public IReadOnlyList<ResourceDefinition> Permanent => _builtIn;

    /// <summary>The built-in kinds and _istio's.</summary>
    public static ResourceCatalog Default() => new([.. Core(), .. Apps(), .. Others(), .. BuiltInKinds.All(), .. IstioKinds()]);

    /// <summary>Replaces every kind of the run time at once; one with the name of a built-in kind stands in its place.</summary>
    public void SetCustom(IReadOnlyCollection<ResourceDefinition> custom)
    {
        var names = custom.Select(item => item.GroupResource).ToHashSet(StringComparer.Ordinal);
        _table = new Table([.. _builtIn.Where(item => !names.Contains(item.GroupResource)), .. custom], _table.Revision + 1);
    }

    public ResourceDefinition? Find(string group, string version, string plural) =>
        Find(group.Length == 0 ? plural : plural + "." + group) is { } found
        && found.Versions.Contains(version, StringComparer.Ordinal)
            ? found
            : null;

    public ResourceDefinition? Find(string groupResource) => _table.ByName.GetValueOrDefault(groupResource);

    public ResourceDefinition Get(string groupResource) => _table.ByName[groupResource];

    private sealed class Table(ResourceDefinition[] all, long revision)
    {
        public ResourceDefinition[] All { get; } = all;

        public long Revision { get; } = revision;

        public FrozenDictionary<string, ResourceDefinition> ByName { get; } =
            all.ToFrozenDictionary(item => item.GroupResource, StringComparer.Ordinal);
    }

    private static IEnumerable<ResourceDefinition> Core() =>
    [
        BuiltIn("", "configmaps", "ConfigMap") with { ShortNames = ["cm"] },
        BuiltIn("", "endpoints", "Endpoints") with { ShortNames = ["ep"], Singular = "endpoints" },
        BuiltIn("", "events", "Event") with { ShortNames = ["ev"] },
        BuiltIn("", "namespaces", "Namespace") with { ShortNames = ["ns"], Namespaced = false, HasStatus = true },
        BuiltIn("", "nodes", "Node") with { ShortNames = ["no"], Namespaced = false, HasStatus = true },
        BuiltIn("", "pods", "Pod") with { ShortNames = ["po"], Categories = _inAll, HasStatus = true },
        BuiltIn("", "secrets", "Secret"),
        BuiltIn("", "serviceaccounts", "ServiceAccount") with { ShortNames = ["sa"] },
        BuiltIn("", "services", "Service") with { ShortNames = ["svc"], Categories = _inAll, HasStatus = true },
    ];

    private static IEnumerable<ResourceDefinition> Apps() =>
    [
        BuiltIn("apps", "controllerrevisions", "ControllerRevision"),
        BuiltIn("apps", "daemonsets", "DaemonSet") with
        {
            ShortNames = ["ds"], Categories = _inAll, HasStatus = true, HasGeneration = true,
        },
        BuiltIn("apps", "deployments", "Deployment") with
        {
            ShortNames = ["deploy"], Categories = _inAll, HasStatus = true, HasScale = true, HasGeneration = true,
        },
        BuiltIn("apps", "replicasets", "ReplicaSet") with
        {
            ShortNames = ["rs"], Categories = _inAll, HasStatus = true, HasScale = true, HasGeneration = true,
        },
        BuiltIn("apps", "statefulsets", "StatefulSet") with
        {
            ShortNames = ["sts"], Categories = _inAll, HasStatus = true, HasScale = true, HasGeneration = true,
        },
    ];

    private static IEnumerable<ResourceDefinition> Others() =>
    [
        BuiltIn("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition") with
        {
            ShortNames = ["crd", "crds"], Categories = ["api-extensions"], Namespaced = false, HasStatus = true, HasGeneration = true,
        },
        BuiltIn("coordination.k8s.io", "leases", "Lease"),
        BuiltIn("discovery.k8s.io", "endpointslices", "EndpointSlice") with { HasGeneration = true },
    ];

    private static IEnumerable<ResourceDefinition> IstioKinds() =>
    [
        Networking("destinationrules", "DestinationRule", "dr"),
        Networking("envoyfilters", "EnvoyFilter") with { Versions = ["v1alpha3", "v1beta1"] },
        Networking("gateways", "Gateway", "gw"),
        Networking("proxyconfigs", "ProxyConfig") with { Versions = ["v1beta1"] },
        Networking("serviceentries", "ServiceEntry", "se"),
        Networking("sidecars", "Sidecar"),
        Networking("virtualservices", "VirtualService", "vs"),
        Networking("workloadentries", "WorkloadEntry", "we"),
        Networking("workloadgroups", "WorkloadGroup", "wg"),
        Security("authorizationpolicies", "AuthorizationPolicy", "ap"),
        Security("peerauthentications", "PeerAuthentication", "pa"),
        Security("requestauthentications", "RequestAuthentication", "ra"),
        CustomKind("extensions.istio.io", "wasmplugins", "WasmPlugin") with { Versions = ["v1alpha1"], Categories = [.. _istio, "extensions-istio-io"] },
    ];

    private static ResourceDefinition BuiltIn(string group, string plural, string kind) => new()
    {
        Group = group,
        Versions = ["v1"],
        Plural = plural,
        Singular = kind.ToLowerInvariant(),
        Kind = kind,
        Type = kind,
    };

    private static ResourceDefinition Networking(string plural, string kind, params string[] shortNames) =>
        CustomKind("networking.istio.io", plural, kind) with
        {
            Versions = _threeVersions,
            ShortNames = shortNames,
            Categories = _istioNetworking,
        };

    private static ResourceDefinition Security(string plural, string kind, params string[] shortNames) =>
        CustomKind("security.istio.io", plural, kind) with
        {
            Versions = _twoVersions,
            ShortNames = shortNames,
            Categories = [.. _istio, "security-istio-io"],
        };

    private static ResourceDefinition CustomKind(string group, string plural, string kind) =>
        BuiltIn(group, plural, kind) with
        {
            Type = "istio." + kind,
            Custom = true,
            HasGeneration = true,
            HasStatus = true,
        };
}
