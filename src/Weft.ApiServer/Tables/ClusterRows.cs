// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using static Weft.ApiServer.Tables.HumanText;

namespace Weft.ApiServer.Tables;

/// <summary>Cells of rights, networking, storage and quotas.</summary>
internal static class ClusterRows
{
    private const string DefaultClass = "storageclass.kubernetes.io/is-default-class";
    private const int ShownHosts = 3;

    public static JsonArray RoleBinding(JsonObject tree, DateTimeOffset now)
    {
        var subjects = tree["subjects"].Items().ToList();
        return
        [
            TableLayout.Name(tree),
            $"{tree.At("roleRef", "kind").Text()}/{tree.At("roleRef", "name").Text()}",
            TableLayout.Created(tree, now),
            Names("User", item => item.Text("name")),
            Names("Group", item => item.Text("name")),
            Names("ServiceAccount", item => item.Text("namespace") + "/" + item.Text("name")),
        ];

        string Names(string kind, Func<JsonObject, string?> name) =>
            string.Join(", ", subjects.Where(item => item.Text("kind") == kind).Select(name));
    }

    public static JsonArray SigningRequest(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        TableLayout.Created(tree, now),
        OrNone(tree.At("spec", "signerName").Text()),
        tree.At("spec", "username").Text(),
        tree.At("spec", "expirationSeconds").Number() is { } seconds ? Duration(TimeSpan.FromSeconds(seconds)) : None,
        SigningState(tree),
    ];

    public static JsonArray Ingress(JsonObject tree, DateTimeOffset now)
    {
        var hosts = tree.At("spec", "rules").Items().Select(rule => rule.Text("host")).Where(host => !string.IsNullOrEmpty(host)).ToList();
        var shown = string.Join(',', hosts.Take(ShownHosts));
        return
        [
            TableLayout.Name(tree),
            OrNone(tree.At("spec", "ingressClassName").Text()),
            hosts.Count == 0 ? "*" : hosts.Count > ShownHosts ? $"{shown} + {hosts.Count - ShownHosts} more..." : shown,
            string.Join(',', tree.At("status", "loadBalancer", "ingress").Items().Select(item => item.Text("ip") ?? item.Text("hostname"))),
            tree.At("spec", "tls") is JsonArray { Count: > 0 } ? "80, 443" : "80",
            TableLayout.Created(tree, now),
        ];
    }

    public static JsonArray IngressClass(JsonObject tree, DateTimeOffset now)
    {
        var parameters = None;
        if (tree.At("spec", "parameters") is JsonObject given)
        {
            var group = given.Text("apiGroup") is { Length: > 0 } name ? "." + name : "";
            parameters = $"{given.Text("kind")}{group}/{given.Text("name")}";
        }

        return [TableLayout.Name(tree), tree.At("spec", "controller").Text(), parameters, TableLayout.Created(tree, now)];
    }

    public static JsonArray Quota(JsonObject tree, DateTimeOffset now)
    {
        var requests = new List<string>();
        var limits = new List<string>();
        foreach (var (name, hard) in (tree.At("status", "hard") as JsonObject ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var target = name.StartsWith("limits.", StringComparison.Ordinal) ? limits : requests;
            target.Add($"{name}: {tree.At("status", "used", name).Text() ?? "0"}/{hard.Text()}");
        }

        return [TableLayout.Name(tree), TableLayout.Created(tree, now), string.Join(", ", requests), string.Join(", ", limits)];
    }

    public static JsonArray Claim(JsonObject tree, DateTimeOffset now)
    {
        var bound = tree.At("spec", "volumeName").Text() is { Length: > 0 };
        return
        [
            TableLayout.Name(tree),
            tree.At("metadata", "deletionTimestamp") is null ? tree.At("status", "phase").Text() : "Terminating",
            tree.At("spec", "volumeName").Text() ?? "",
            bound ? tree.At("status", "capacity", "storage").Text() ?? "0" : "",
            bound ? Modes(tree.At("status", "accessModes")) : "",
            tree.At("spec", "storageClassName").Text() ?? "",
            tree.At("spec", "volumeAttributesClassName").Text() ?? "<unset>",
            TableLayout.Created(tree, now),
            tree.At("spec", "volumeMode").Text() ?? "<unset>",
        ];
    }

    public static JsonArray Volume(JsonObject tree, DateTimeOffset now)
    {
        var claim = tree.At("spec", "claimRef") is JsonObject reference ? $"{reference.Text("namespace")}/{reference.Text("name")}" : "";
        return
        [
            TableLayout.Name(tree),
            tree.At("spec", "capacity", "storage").Text() ?? "0",
            Modes(tree.At("spec", "accessModes")),
            tree.At("spec", "persistentVolumeReclaimPolicy").Text(),
            tree.At("metadata", "deletionTimestamp") is null ? tree.At("status", "phase").Text() : "Terminating",
            claim,
            tree.At("spec", "storageClassName").Text() ?? "",
            tree.At("spec", "volumeAttributesClassName").Text() ?? "<unset>",
            tree.At("status", "reason").Text() ?? "",
            TableLayout.Created(tree, now),
            tree.At("spec", "volumeMode").Text() ?? "<unset>",
        ];
    }

    public static JsonArray StorageClass(JsonObject tree, DateTimeOffset now) =>
    [
        tree.At("metadata", "annotations", DefaultClass).Text() is "true" ? TableLayout.Name(tree) + " (default)" : TableLayout.Name(tree),
        tree.Text("provisioner"),
        tree.Text("reclaimPolicy") ?? "Delete",
        tree.Text("volumeBindingMode") ?? "Immediate",
        tree.Flag("allowVolumeExpansion") ?? false,
        TableLayout.Created(tree, now),
    ];

    private static string Modes(JsonNode? modes) => string.Join(',', (modes as JsonArray ?? []).Select(mode => mode.Text() switch
    {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        var other => other,
    }).Distinct(StringComparer.Ordinal));

    private static string SigningState(JsonObject tree)
    {
        var types = tree.At("status", "conditions").Items().Select(item => item.Text("type")).ToList();
        var state = types.Contains("Denied") ? "Denied" : types.Contains("Approved") ? "Approved" : "Pending";
        state += types.Contains("Failed") ? ",Failed" : "";
        return tree.At("status", "certificate").Text() is { Length: > 0 } ? state + ",Issued" : state;
    }
}
