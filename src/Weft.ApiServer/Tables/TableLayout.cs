// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using static Weft.ApiServer.Tables.HumanText;

namespace Weft.ApiServer.Tables;

/// <summary>The columns of a kind and how an object fills them.</summary>
public sealed record TableLayout(Column[] Columns, Func<JsonObject, DateTimeOffset, JsonArray> Cells)
{
    private static readonly TableLayout _plain = new(
        [Column.ObjectName, Column.Age], (tree, now) => [Name(tree), Created(tree, now)]);

    private static readonly Dictionary<string, TableLayout> _layouts = new(StringComparer.Ordinal)
    {
        ["pods"] = new(
            [
                Column.ObjectName, new("Ready"), new("Status"), new("Restarts"), Column.Age, Column.Wide("IP"),
                Column.Wide("Node"), Column.Wide("Nominated Node"), Column.Wide("Readiness Gates"),
            ],
            PodRow.Cells),
        ["services"] = new(
            [
                Column.ObjectName, new("Type"), new("Cluster-IP"), new("External-IP"), new("Port(s)"), Column.Age,
                Column.Wide("Selector"),
            ],
            NetworkRows.Service),
        ["endpoints"] = new([Column.ObjectName, new("Endpoints"), Column.Age], NetworkRows.Endpoints),
        ["endpointslices.discovery.k8s.io"] = new(
            [Column.ObjectName, new("AddressType"), new("Ports"), new("Endpoints"), Column.Age], NetworkRows.EndpointSlice),
        ["namespaces"] = new(
            [Column.ObjectName, new("Status"), Column.Age],
            (tree, now) => [Name(tree), tree.At("status", "phase").Text(), Created(tree, now)]),
        ["configmaps"] = new(
            [Column.ObjectName, new("Data"), Column.Age],
            (tree, now) => [Name(tree), Count(tree["data"]) + Count(tree["binaryData"]), Created(tree, now)]),
        ["secrets"] = new(
            [Column.ObjectName, new("Type"), new("Data"), Column.Age],
            (tree, now) => [Name(tree), tree.Text("type"), Count(tree["data"]), Created(tree, now)]),
        ["serviceaccounts"] = new(
            [Column.ObjectName, new("Secrets"), Column.Age],
            (tree, now) => [Name(tree), Count(tree["secrets"]), Created(tree, now)]),
        ["events"] = new(
            [
                new("Last Seen"), new("Type"), new("Reason"), new("Object"), Column.Wide("Subobject"), Column.Wide("Source"),
                new("Message"), Column.Wide("First Seen"), Column.Wide("Count"), new("Name", Format: "name", Priority: 1),
            ],
            EventRow.Cells),
        ["nodes"] = new(
            [
                Column.ObjectName, new("Status"), new("Roles"), Column.Age, new("Version"), Column.Wide("Internal-IP"),
                Column.Wide("External-IP"), Column.Wide("OS-Image"), Column.Wide("Kernel-Version"),
                Column.Wide("Container-Runtime"),
            ],
            NodeRow.Cells),
        ["leases.coordination.k8s.io"] = new(
            [Column.ObjectName, new("Holder"), Column.Age],
            (tree, now) => [Name(tree), tree.At("spec", "holderIdentity").Text() ?? "", Created(tree, now)]),
        ["deployments.apps"] = new(
            [
                Column.ObjectName, new("Ready"), Column.Count("Up-to-date"), Column.Count("Available"), Column.Age,
                Column.Wide("Containers"), Column.Wide("Images"), Column.Wide("Selector"),
            ],
            WorkloadRows.Deployment),
        ["replicasets.apps"] = new(
            [
                Column.ObjectName, Column.Count("Desired"), Column.Count("Current"), Column.Count("Ready"), Column.Age,
                Column.Wide("Containers"), Column.Wide("Images"), Column.Wide("Selector"),
            ],
            WorkloadRows.ReplicaSet),
        ["statefulsets.apps"] = new(
            [Column.ObjectName, new("Ready"), Column.Age, Column.Wide("Containers"), Column.Wide("Images")],
            WorkloadRows.StatefulSet),
        ["daemonsets.apps"] = new(
            [
                Column.ObjectName, Column.Count("Desired"), Column.Count("Current"), Column.Count("Ready"),
                Column.Count("Up-to-date"), Column.Count("Available"), new("Node Selector"), Column.Age,
                Column.Wide("Containers"), Column.Wide("Images"), Column.Wide("Selector"),
            ],
            WorkloadRows.DaemonSet),
        ["controllerrevisions.apps"] = new(
            [Column.ObjectName, new("Controller"), Column.Count("Revision"), Column.Age], WorkloadRows.ControllerRevision),
        ["virtualservices.networking.istio.io"] = Custom(("Gateways", "spec.gateways"), ("Hosts", "spec.hosts")),
        ["destinationrules.networking.istio.io"] = Custom(("Host", "spec.host")),
        ["peerauthentications.security.istio.io"] = Custom(("Mode", "spec.mtls.mode")),
        ["authorizationpolicies.security.istio.io"] = Custom(("Action", "spec.action")),
        ["serviceentries.networking.istio.io"] = Custom(
            ("Hosts", "spec.hosts"), ("Location", "spec.location"), ("Resolution", "spec.resolution")),
        ["workloadentries.networking.istio.io"] = Custom(("Address", "spec.address")),
    };

    /// <summary>The subresource scale, of whatever kind.</summary>
    public static TableLayout Scale { get; } = new(
        [Column.ObjectName, Column.Count("Desired"), Column.Count("Available"), Column.Age],
        (tree, now) => [Name(tree), tree.At("spec", "replicas").Number() ?? 0, tree.At("status", "replicas").Number() ?? 0, Created(tree, now)]);

    public static TableLayout For(ResourceDefinition resource, string version) =>
        CustomObjects.VersionOf(resource, version)?.Layout ?? For(resource.StoredAs);

    private static TableLayout For(string groupResource) =>
        _layouts.GetValueOrDefault(groupResource) ?? BuiltInLayouts.Find(groupResource) ?? _plain;

    internal static string? Name(JsonObject tree) => tree.At("metadata", "name").Text();

    internal static string Created(JsonObject tree, DateTimeOffset now) =>
        Age(tree.At("metadata", "creationTimestamp"), now);

    private static int Count(JsonNode? node) => node switch
    {
        JsonObject map => map.Count,
        JsonArray list => list.Count,
        _ => 0,
    };

    private static TableLayout Custom(params (string Title, string Path)[] columns) => new(
        [Column.ObjectName, .. columns.Select(column => new Column(column.Title)), Column.Age],
        (tree, now) =>
        [
            Name(tree),
            .. columns.Select(column => (JsonNode?)JsonValue.Create(Show(tree.At(column.Path.Split('.'))))),
            Created(tree, now),
        ]);

    private static string Show(JsonNode? node) => node is null ? "" : node.Text() ?? JsonText.String(node);
}
