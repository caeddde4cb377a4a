// SPDX-License-Identifier: Apache-2.0

using Weft.Model;

namespace Weft.Dialects.Kubernetes;

/// <summary>The kinds of Kubernetes that the mesh reads. There are many more; they are left alone.</summary>
internal static class KubernetesDialect
{
    public const string Name = "kubernetes";

    public static EquatableArray<DialectKind> Kinds { get; } =
    [
        new(Name, "", ["v1"], "Namespace", false, true) { Parse = NamespaceKind.Parse },
        new(Name, "", ["v1"], "Node", false, true) { Parse = NodeKind.Parse },
        new(Name, "", ["v1"], "Pod", true, true) { Parse = PodKind.Parse },
        new(Name, "apps", ["v1"], "Deployment", true, true) { Parse = WorkloadControllerKind.ParseDeployment },
        new(Name, "apps", ["v1"], "ReplicaSet", true, true) { Parse = WorkloadControllerKind.ParseReplicaSet },
        new(Name, "", ["v1"], "Service", true, true) { Parse = ServiceKind.Parse },
        new(Name, "discovery.k8s.io", ["v1"], "EndpointSlice", true, true) { Parse = EndpointSliceKind.Parse },
        new(Name, "", ["v1"], "ServiceAccount", true, true) { Parse = ServiceAccountKind.Parse },
        new(Name, "", ["v1"], "ConfigMap", true, true) { Parse = ConfigMapKind.Parse },
        new(Name, "", ["v1"], "Secret", true, true) { Parse = SecretKind.Parse },
    ];
}
