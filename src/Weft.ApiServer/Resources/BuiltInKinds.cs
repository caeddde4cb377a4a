// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Resources;

/// <summary>The built-in kinds beyond core and apps: batch, autoscaling, policy, rights, networking, storage, admission.</summary>
internal static class BuiltInKinds
{
    private static readonly string[] _inAll = ["all"];
    private static readonly string[] _extensions = ["api-extensions"];

    public static IEnumerable<ResourceDefinition> All() =>
    [
        .. Core(), .. Workloads(), .. Rights(), .. Networking(), .. Cluster(),
    ];

    private static IEnumerable<ResourceDefinition> Core() =>
    [
        Kind("", "limitranges", "LimitRange", "limits"),
        Kind("", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc") with { HasStatus = true },
        Kind("", "persistentvolumes", "PersistentVolume", "pv") with { Namespaced = false, HasStatus = true },
        Kind("", "podtemplates", "PodTemplate") with { HasGeneration = true },
        Kind("", "replicationcontrollers", "ReplicationController", "rc") with
        {
            Categories = _inAll, HasStatus = true, HasScale = true, HasGeneration = true,
        },
        Kind("", "resourcequotas", "ResourceQuota", "quota") with { HasStatus = true },
    ];

    private static IEnumerable<ResourceDefinition> Workloads() =>
    [
        Kind("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa") with
        {
            Versions = ["v2", "v1"], Categories = _inAll, HasStatus = true,
        },
        Kind("batch", "cronjobs", "CronJob", "cj") with { Categories = _inAll, HasStatus = true, HasGeneration = true },
        Kind("batch", "jobs", "Job") with { Categories = _inAll, HasStatus = true, HasGeneration = true },
        Kind("policy", "poddisruptionbudgets", "PodDisruptionBudget", "pdb") with { HasStatus = true, HasGeneration = true },
        Kind("scheduling.k8s.io", "priorityclasses", "PriorityClass", "pc") with { Namespaced = false, HasGeneration = true },
        Kind("node.k8s.io", "runtimeclasses", "RuntimeClass") with { Namespaced = false },
        Kind(EventVersions.Group, "events", "Event", "ev") with
        {
            StoredAs = "events", StorageApiVersion = "v1", Type = "events1.Event", StoredType = "Event",
        },
    ];

    private static IEnumerable<ResourceDefinition> Rights() =>
    [
        Kind("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding") with { Namespaced = false },
        Kind("rbac.authorization.k8s.io", "clusterroles", "ClusterRole") with { Namespaced = false },
        Kind("rbac.authorization.k8s.io", "rolebindings", "RoleBinding"),
        Kind("rbac.authorization.k8s.io", "roles", "Role"),
        Kind("certificates.k8s.io", "certificatesigningrequests", "CertificateSigningRequest", "csr") with
        {
            Namespaced = false, HasStatus = true,
        },
    ];

    private static IEnumerable<ResourceDefinition> Networking() =>
    [
        Kind("networking.k8s.io", "ingressclasses", "IngressClass") with { Namespaced = false, HasGeneration = true },
        Kind("networking.k8s.io", "ingresses", "Ingress", "ing") with { HasStatus = true, HasGeneration = true },
        Kind("networking.k8s.io", "networkpolicies", "NetworkPolicy", "netpol") with { HasGeneration = true },
    ];

    private static IEnumerable<ResourceDefinition> Cluster() =>
    [
        Kind("storage.k8s.io", "storageclasses", "StorageClass", "sc") with { Namespaced = false },
        Kind("apiregistration.k8s.io", "apiservices", "APIService") with
        {
            Namespaced = false, HasStatus = true, Categories = _extensions,
        },
        Kind("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration") with
        {
            Namespaced = false, HasGeneration = true, Categories = _extensions,
        },
        Kind("admissionregistration.k8s.io", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration") with
        {
            Namespaced = false, HasGeneration = true, Categories = _extensions,
        },
    ];

    private static ResourceDefinition Kind(string group, string plural, string kind, params string[] shortNames) => new()
    {
        Group = group,
        Versions = ["v1"],
        Plural = plural,
        Singular = kind.ToLowerInvariant(),
        Kind = kind,
        Type = kind,
        ShortNames = shortNames,
    };
}
