// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using static Weft.ApiServer.Tables.HumanText;

namespace Weft.ApiServer.Tables;

/// <summary>Columns of the built-in kinds beyond core and apps.</summary>
internal static class BuiltInLayouts
{
    private static readonly Column _created = new("Created At");

    private static readonly Dictionary<string, TableLayout> _layouts = new(StringComparer.Ordinal)
    {
        ["jobs.batch"] = new(
            [
                Column.ObjectName, new("Status"), new("Completions"), new("Duration"), Column.Age, Column.Wide("Containers"),
                Column.Wide("Images"), Column.Wide("Selector"),
            ],
            BatchRows.Job),
        ["cronjobs.batch"] = new(
            [
                Column.ObjectName, new("Schedule"), new("Timezone"), new("Suspend"), Column.Count("Active"), new("Last Schedule"),
                Column.Age, Column.Wide("Containers"), Column.Wide("Images"), Column.Wide("Selector"),
            ],
            BatchRows.CronJob),
        ["horizontalpodautoscalers.autoscaling"] = new(
            [
                Column.ObjectName, new("Reference"), new("Targets"), new("MinPods"), new("MaxPods"), new("Replicas"), Column.Age,
            ],
            BatchRows.Autoscaler),
        ["poddisruptionbudgets.policy"] = new(
            [
                Column.ObjectName, new("Min Available"), new("Max Unavailable"), Column.Count("Allowed Disruptions"), Column.Age,
            ],
            BatchRows.DisruptionBudget),
        ["replicationcontrollers"] = new(
            [
                Column.ObjectName, Column.Count("Desired"), Column.Count("Current"), Column.Count("Ready"), Column.Age,
                Column.Wide("Containers"), Column.Wide("Images"), Column.Wide("Selector"),
            ],
            BatchRows.ReplicationController),
        ["podtemplates"] = new(
            [Column.ObjectName, new("Containers"), new("Images"), new("Pod Labels")],
            (tree, _) =>
            [
                Name(tree), WorkloadRows.ContainerTexts(tree, "name"), WorkloadRows.ContainerTexts(tree, "image"),
                Labels(tree.At("template", "metadata", "labels")),
            ]),
        ["roles.rbac.authorization.k8s.io"] = new([Column.ObjectName, _created], (tree, _) => [Name(tree), CreatedAt(tree)]),
        ["clusterroles.rbac.authorization.k8s.io"] = new([Column.ObjectName, _created], (tree, _) => [Name(tree), CreatedAt(tree)]),
        ["rolebindings.rbac.authorization.k8s.io"] = Binding(),
        ["clusterrolebindings.rbac.authorization.k8s.io"] = Binding(),
        ["certificatesigningrequests.certificates.k8s.io"] = new(
            [
                Column.ObjectName, Column.Age, new("SignerName"), new("Requestor"), new("RequestedDuration"), new("Condition"),
            ],
            ClusterRows.SigningRequest),
        ["ingresses.networking.k8s.io"] = new(
            [Column.ObjectName, new("Class"), new("Hosts"), new("Address"), new("Ports"), Column.Age], ClusterRows.Ingress),
        ["ingressclasses.networking.k8s.io"] = new(
            [Column.ObjectName, new("Controller"), new("Parameters"), Column.Age], ClusterRows.IngressClass),
        ["networkpolicies.networking.k8s.io"] = new(
            [Column.ObjectName, new("Pod-Selector"), Column.Age],
            (tree, now) => [Name(tree), Selector(tree.At("spec", "podSelector")), TableLayout.Created(tree, now)]),
        ["limitranges"] = new([Column.ObjectName, _created], (tree, _) => [Name(tree), CreatedAt(tree)]),
        ["resourcequotas"] = new(
            [Column.ObjectName, Column.Age, new("Request"), new("Limit")], ClusterRows.Quota),
        ["persistentvolumeclaims"] = new(
            [
                Column.ObjectName, new("Status"), new("Volume"), new("Capacity"), new("Access Modes"), new("StorageClass"),
                new("VolumeAttributesClass"), Column.Age, Column.Wide("VolumeMode"),
            ],
            ClusterRows.Claim),
        ["persistentvolumes"] = new(
            [
                Column.ObjectName, new("Capacity"), new("Access Modes"), new("Reclaim Policy"), new("Status"), new("Claim"),
                new("StorageClass"), new("VolumeAttributesClass"), new("Reason"), Column.Age, Column.Wide("VolumeMode"),
            ],
            ClusterRows.Volume),
        ["storageclasses.storage.k8s.io"] = new(
            [
                Column.ObjectName, new("Provisioner"), new("ReclaimPolicy"), new("VolumeBindingMode"), new("AllowVolumeExpansion"),
                Column.Age,
            ],
            ClusterRows.StorageClass),
        ["priorityclasses.scheduling.k8s.io"] = new(
            [
                Column.ObjectName, Column.Count("Value"), new("Global-Default", "boolean"), Column.Age, new("PreemptionPolicy"),
            ],
            (tree, now) =>
            [
                Name(tree), tree.Number("value") ?? 0, tree.Flag("globalDefault") ?? false, TableLayout.Created(tree, now),
                tree.Text("preemptionPolicy") ?? None,
            ]),
        ["runtimeclasses.node.k8s.io"] = new(
            [Column.ObjectName, new("Handler"), Column.Age],
            (tree, now) => [Name(tree), tree.Text("handler"), TableLayout.Created(tree, now)]),
        [Defaults.LocalServices.Resource] = new(
            [Column.ObjectName, new("Service"), new("Available"), Column.Age],
            (tree, now) =>
            [
                Name(tree), "Local", tree.At("status", "conditions").Items().FirstOrDefault()?.Text("status") ?? Unknown,
                TableLayout.Created(tree, now),
            ]),
        [CustomKinds.Resource] = new(
            [Column.ObjectName, new("Created At", "date")], (tree, _) => [Name(tree), CreatedAt(tree)]),
        ["mutatingwebhookconfigurations.admissionregistration.k8s.io"] = Webhooks(),
        ["validatingwebhookconfigurations.admissionregistration.k8s.io"] = Webhooks(),
    };

    public static TableLayout? Find(string groupResource) => _layouts.GetValueOrDefault(groupResource);

    private static string? Name(JsonObject tree) => TableLayout.Name(tree);

    private static string CreatedAt(JsonObject tree) => tree.At("metadata", "creationTimestamp").Text() ?? "";

    private static TableLayout Binding() => new(
        [
            Column.ObjectName, new("Role"), Column.Age, Column.Wide("Users"), Column.Wide("Groups"), Column.Wide("ServiceAccounts"),
        ],
        ClusterRows.RoleBinding);

    private static TableLayout Webhooks() => new(
        [Column.ObjectName, Column.Count("Webhooks"), Column.Age],
        (tree, now) => [Name(tree), tree["webhooks"].Items().Count(), TableLayout.Created(tree, now)]);
}
