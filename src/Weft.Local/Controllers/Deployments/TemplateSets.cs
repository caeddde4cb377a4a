// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Deployments;

/// <summary>What a Deployment's ReplicaSet of one template looks like: its name, labels, annotations and revision.</summary>
internal static class TemplateSets
{
    public const string HashLabel = "pod-template-hash";
    public const string RevisionAnnotation = "deployment.kubernetes.io/revision";
    public const string HistoryAnnotation = "deployment.kubernetes.io/revision-history";
    public const string DesiredAnnotation = "deployment.kubernetes.io/desired-replicas";
    public const string MaxAnnotation = "deployment.kubernetes.io/max-replicas";

    /// <summary>Annotations that stay with the object they are on.</summary>
    private static readonly string[] _own =
    [
        "kubectl.kubernetes.io/last-applied-configuration", RevisionAnnotation, HistoryAnnotation, DesiredAnnotation, MaxAnnotation,
        "deprecated.deployment.rollback.to",
    ];

    public static long Revision(JsonObject set) =>
        long.TryParse(set.Annotation(RevisionAnnotation), NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : 0;

    /// <summary>Equal for equal templates, whatever their hash label says.</summary>
    public static string TemplateText(JsonObject owner)
    {
        var template = owner.Find("spec", "template")?.DeepClone();
        (template.Find("metadata", "labels") as JsonObject)?.Remove(HashLabel);
        if (template.Find("metadata") is JsonObject metadata)
        {
            // The API writes it as null or leaves it out, depending on who sent it.
            metadata.Remove("creationTimestamp");
        }

        return SafeNames.Canonical(template);
    }

    /// <summary>The annotations that a set has in this revision: the Deployment's, and what revisions the set has been before.</summary>
    public static JsonObject Annotations(JsonObject deployment, JsonObject? set, long revision)
    {
        var text = revision.ToString(CultureInfo.InvariantCulture);
        var annotations = new JsonObject { [RevisionAnnotation] = text };
        foreach (var (name, value) in deployment.TextMap("metadata", "annotations"))
        {
            if (!_own.Contains(name, StringComparer.Ordinal))
            {
                annotations[name] = value;
            }
        }

        if (set?.Annotation(RevisionAnnotation) is { } before && before != text)
        {
            annotations[HistoryAnnotation] = set.Annotation(HistoryAnnotation) is { Length: > 0 } history ? $"{history},{before}" : before;
        }

        return annotations;
    }

    public static JsonObject Make(JsonObject deployment, string hash, long revision)
    {
        var template = (JsonObject)deployment.Find("spec", "template")!.DeepClone();
        var labels = Child(Child(template, "metadata"), "labels");
        labels[HashLabel] = hash;
        var selector = (JsonObject)deployment.Find("spec", "selector")!.DeepClone();
        Child(selector, "matchLabels")[HashLabel] = hash;
        var spec = new JsonObject { ["replicas"] = 0, ["selector"] = selector, ["template"] = template };
        if (deployment.Number("spec", "minReadySeconds") is { } seconds and not 0)
        {
            spec["minReadySeconds"] = seconds;
        }

        return new JsonObject
        {
            ["apiVersion"] = Kinds.ReplicaSet.ApiVersion,
            ["kind"] = "ReplicaSet",
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{deployment.Name()}-{hash}",
                ["namespace"] = deployment.Namespace(),
                ["labels"] = labels.DeepClone(),
                ["annotations"] = Annotations(deployment, null, revision),
                ["ownerReferences"] = new JsonArray(Owners.Reference(deployment, Kinds.Deployment)),
            },
            ["spec"] = spec,
        };
    }

    private static JsonObject Child(JsonObject parent, string name)
    {
        if (parent[name] is not JsonObject child)
        {
            parent[name] = child = [];
        }

        return child;
    }
}
