// SPDX-License-Identifier: Apache-2.0

namespace Weft.Kubernetes;

/// <summary>The kinds that Weft reads, writes or serves.</summary>
public static class Kinds
{
    private const string Apps = "apps";
    private const string Networking = "networking.istio.io";
    private const string Security = "security.istio.io";

    public static ResourceKind Namespace { get; } = Cluster("", "v1", "namespaces", "Namespace", "ns");

    public static ResourceKind Node { get; } = Cluster("", "v1", "nodes", "Node", "no");

    public static ResourceKind Pod { get; } = Local("", "v1", "pods", "Pod", "po");

    public static ResourceKind Service { get; } = Local("", "v1", "services", "Service", "svc");

    public static ResourceKind ServiceAccount { get; } = Local("", "v1", "serviceaccounts", "ServiceAccount", "sa");

    public static ResourceKind ConfigMap { get; } = Local("", "v1", "configmaps", "ConfigMap", "cm");

    public static ResourceKind Secret { get; } = Local("", "v1", "secrets", "Secret");

    public static ResourceKind Event { get; } = Local("", "v1", "events", "Event", "ev");

    /// <summary>The legacy form of endpoints; its plural is also its singular.</summary>
    public static ResourceKind Endpoints { get; } =
        new("", "v1", "endpoints", "Endpoints", true, "endpoints", ["ep"]);

    public static ResourceKind Deployment { get; } = Local(Apps, "v1", "deployments", "Deployment", "deploy");

    public static ResourceKind ReplicaSet { get; } = Local(Apps, "v1", "replicasets", "ReplicaSet", "rs");

    public static ResourceKind StatefulSet { get; } = Local(Apps, "v1", "statefulsets", "StatefulSet", "sts");

    public static ResourceKind DaemonSet { get; } = Local(Apps, "v1", "daemonsets", "DaemonSet", "ds");

    public static ResourceKind ControllerRevision { get; } = Local(Apps, "v1", "controllerrevisions", "ControllerRevision");

    public static ResourceKind ReplicationController { get; } = Local("", "v1", "replicationcontrollers", "ReplicationController", "rc");

    public static ResourceKind Job { get; } = Local("batch", "v1", "jobs", "Job");

    public static ResourceKind CronJob { get; } = Local("batch", "v1", "cronjobs", "CronJob", "cj");

    public static ResourceKind HorizontalPodAutoscaler { get; } =
        Local("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa");

    public static ResourceKind PodDisruptionBudget { get; } = Local("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb");

    public static ResourceKind PersistentVolumeClaim { get; } = Local("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc");

    public static ResourceKind PersistentVolume { get; } = Cluster("", "v1", "persistentvolumes", "PersistentVolume", "pv");

    public static ResourceKind StorageClass { get; } = Cluster("storage.k8s.io", "v1", "storageclasses", "StorageClass", "sc");

    public static ResourceKind EndpointSlice { get; } =
        Local("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice");

    public static ResourceKind Lease { get; } = Local("coordination.k8s.io", "v1", "leases", "Lease");

    public static ResourceKind SubjectAccessReview { get; } =
        Cluster("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview");

    public static ResourceKind TokenReview { get; } =
        Cluster("authentication.k8s.io", "v1", "tokenreviews", "TokenReview");

    public static ResourceKind CustomResourceDefinition { get; } =
        Cluster("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd", "crds");

    public static ResourceKind VirtualService { get; } =
        Local(Networking, "v1", "virtualservices", "VirtualService", "vs");

    public static ResourceKind DestinationRule { get; } =
        Local(Networking, "v1", "destinationrules", "DestinationRule", "dr");

    public static ResourceKind Gateway { get; } = Local(Networking, "v1", "gateways", "Gateway", "gw");

    public static ResourceKind ServiceEntry { get; } =
        new(Networking, "v1", "serviceentries", "ServiceEntry", true, "serviceentry", ["se"]);

    public static ResourceKind Sidecar { get; } = Local(Networking, "v1", "sidecars", "Sidecar");

    public static ResourceKind EnvoyFilter { get; } = Local(Networking, "v1alpha3", "envoyfilters", "EnvoyFilter");

    public static ResourceKind WorkloadEntry { get; } =
        new(Networking, "v1", "workloadentries", "WorkloadEntry", true, "workloadentry", ["we"]);

    public static ResourceKind WorkloadGroup { get; } = Local(Networking, "v1", "workloadgroups", "WorkloadGroup", "wg");

    public static ResourceKind PeerAuthentication { get; } =
        Local(Security, "v1", "peerauthentications", "PeerAuthentication", "pa");

    public static ResourceKind AuthorizationPolicy { get; } =
        new(Security, "v1", "authorizationpolicies", "AuthorizationPolicy", true, "authorizationpolicy", ["ap"]);

    public static ResourceKind RequestAuthentication { get; } =
        Local(Security, "v1", "requestauthentications", "RequestAuthentication", "ra");

    public static ResourceKind WasmPlugin { get; } = Local("extensions.istio.io", "v1alpha1", "wasmplugins", "WasmPlugin");

    /// <summary>Every kind above.</summary>
    public static IReadOnlyList<ResourceKind> All { get; } =
    [
        Namespace, Node, Pod, Service, ServiceAccount, ConfigMap, Secret, Event, Endpoints,
        Deployment, ReplicaSet, StatefulSet, DaemonSet, ControllerRevision, ReplicationController, Job, CronJob,
        HorizontalPodAutoscaler, PodDisruptionBudget, PersistentVolumeClaim, PersistentVolume, StorageClass, EndpointSlice, Lease, TokenReview, SubjectAccessReview, CustomResourceDefinition,
        VirtualService, DestinationRule, Gateway, ServiceEntry, Sidecar, EnvoyFilter, WorkloadEntry, WorkloadGroup,
        PeerAuthentication, AuthorizationPolicy, RequestAuthentication, WasmPlugin,
    ];

    private static ResourceKind Local(string group, string version, string plural, string kind, params string[] shortNames) =>
        new(group, version, plural, kind, true, kind.ToLowerInvariant(), shortNames);

    private static ResourceKind Cluster(string group, string version, string plural, string kind, params string[] shortNames) =>
        new(group, version, plural, kind, false, kind.ToLowerInvariant(), shortNames);
}
