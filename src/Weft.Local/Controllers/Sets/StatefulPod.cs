// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Sets;

/// <summary>What makes a pod of a StatefulSet the one of its number: name, host name, labels, claims. Pure.</summary>
internal static class StatefulPod
{
    private const string NameLabel = "statefulset.kubernetes.io/pod-name";
    private const string IndexLabel = "apps.kubernetes.io/pod-index";

    public static string NameOf(JsonObject set, long ordinal) => string.Create(CultureInfo.InvariantCulture, $"{set.Name()}-{ordinal}");

    /// <summary>The number in a pod's name, if the name is one of this set.</summary>
    public static long? OrdinalOf(JsonObject set, JsonObject pod)
    {
        var prefix = set.Name() + "-";
        return pod.Name().StartsWith(prefix, StringComparison.Ordinal)
            && long.TryParse(pod.Name().AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal)
            && pod.Name() == NameOf(set, ordinal)
            ? ordinal
            : null;
    }

    /// <summary>The names of its claims: that of the template in the set, and that of the claim.</summary>
    public static IEnumerable<(JsonObject Template, string Claim)> ClaimsOf(JsonObject set, string pod) =>
        set.Objects("spec", "volumeClaimTemplates").Select(template => (template, $"{template.Name()}-{pod}"));

    /// <summary>Gives a pod of the template its place.</summary>
    public static JsonObject Place(JsonObject pod, JsonObject set, long ordinal, string revision)
    {
        var metadata = pod["metadata"]!.AsObject();
        if (metadata["labels"] is not JsonObject labels)
        {
            metadata["labels"] = labels = [];
        }

        labels[NameLabel] = pod.Name();
        labels[IndexLabel] = ordinal.ToString(CultureInfo.InvariantCulture);
        labels[Revisions.HashLabel] = revision;
        var spec = pod["spec"]!.AsObject();
        spec["hostname"] = pod.Name();
        if (set.Text("spec", "serviceName") is { Length: > 0 } service)
        {
            spec["subdomain"] = service;
        }

        var claims = ClaimsOf(set, pod.Name()).ToList();
        var own = claims.Select(claim => claim.Template.Name()).ToHashSet(StringComparer.Ordinal);
        var volumes = pod.Objects("spec", "volumes").Where(volume => !own.Contains(volume.Text("name") ?? "")).Select(volume => volume.DeepClone());
        var claimed = claims.Select(claim => (JsonNode)new JsonObject
        {
            ["name"] = claim.Template.Name(),
            ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = claim.Claim },
        });
        JsonArray all = [.. volumes, .. claimed];
        if (all.Count > 0)
        {
            spec["volumes"] = all;
        }

        return pod;
    }

    /// <summary>A claim as its template says; it belongs to whom the retention policy lets it die with.</summary>
    public static JsonObject Claim(JsonObject set, JsonObject template, string name)
    {
        var labels = (template.Find("metadata", "labels") as JsonObject)?.DeepClone().AsObject() ?? [];
        foreach (var (key, value) in set.TextMap("spec", "selector", "matchLabels"))
        {
            labels[key] = value;
        }

        var metadata = new JsonObject { ["name"] = name, ["namespace"] = set.Namespace(), ["labels"] = labels };
        if (template.Find("metadata", "annotations") is JsonObject annotations)
        {
            metadata["annotations"] = annotations.DeepClone();
        }

        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "PersistentVolumeClaim",
            ["metadata"] = metadata,
            ["spec"] = template.Find("spec")?.DeepClone() ?? new JsonObject(),
        };
    }

    /// <summary>
    /// The owners that a claim shall have by the set's retention policy: the set, the pod that is being scaled away, or neither.
    /// </summary>
    public static JsonArray ClaimOwners(JsonObject set, JsonObject claim, JsonObject? condemned)
    {
        var pods = new HashSet<string>(StringComparer.Ordinal) { "Pod", "StatefulSet" };
        var others = claim.Objects("metadata", "ownerReferences")
            .Where(owner => !pods.Contains(owner.Text("kind") ?? "") || (owner.Text("kind") == "StatefulSet" && owner.Text("uid") != set.Uid()))
            .Select(owner => (JsonNode)owner.DeepClone())
            .ToList();
        if (condemned is not null && set.Text("spec", "persistentVolumeClaimRetentionPolicy", "whenScaled") == "Delete")
        {
            others.Add(Loose(Owners.Reference(condemned, Kinds.Pod)));
        }
        else if (set.Text("spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted") == "Delete")
        {
            others.Add(Loose(Owners.Reference(set, Kinds.StatefulSet)));
        }

        return new JsonArray([.. others]);

        static JsonObject Loose(JsonObject reference)
        {
            reference.Remove("controller");
            reference.Remove("blockOwnerDeletion");
            return reference;
        }
    }
}
