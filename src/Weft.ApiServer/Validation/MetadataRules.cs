// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Validation;

/// <summary>Names, labels, annotations and owners.</summary>
internal static class MetadataRules
{
    private static readonly string[] _labelNamed = ["namespaces"];

    public static void Check(ResourceDefinition resource, JsonObject tree, List<FieldError> errors)
    {
        var metadata = tree["metadata"]!.AsObject();
        var name = metadata.Text("name") ?? "";
        foreach (var problem in NameProblems(resource, name))
        {
            errors.Add(FieldError.Invalid("metadata.name", name, problem));
        }

        Labels(metadata["labels"], "metadata.labels", errors);
        Annotations(metadata["annotations"], errors);
    }

    /// <summary>An object on its way out takes no new finalizers.</summary>
    public static void Finalizers(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        if (old.At("metadata", "deletionTimestamp") is null)
        {
            return;
        }

        var before = (old.At("metadata", "finalizers") as JsonArray ?? []).Select(item => item.Text()).ToList();
        var added = (tree.At("metadata", "finalizers") as JsonArray ?? []).Select(item => item.Text() ?? "")
            .Where(item => !before.Contains(item, StringComparer.Ordinal)).ToList();
        if (added.Count > 0)
        {
            errors.Add(FieldError.Forbidden(
                "metadata.finalizers",
                "no new finalizers can be added if the object is being deleted, found new finalizers " +
                $"[]string{{{string.Join(", ", added.Select(item => $"\"{item}\""))}}}"));
        }
    }

    public static void Labels(JsonNode? node, string path, List<FieldError> errors)
    {
        foreach (var (key, value) in node as JsonObject ?? [])
        {
            errors.AddRange(NameText.QualifiedName(key).Select(problem => FieldError.Invalid(path, key, problem)));
            errors.AddRange(NameText.LabelValue(value.Text() ?? "")
                .Select(problem => FieldError.Invalid(path, value.Text() ?? "", problem)));
        }
    }

    private static void Annotations(JsonNode? node, List<FieldError> errors)
    {
        var total = 0L;
        foreach (var (key, value) in node as JsonObject ?? [])
        {
            errors.AddRange(NameText.QualifiedName(key.ToLowerInvariant())
                .Select(problem => FieldError.Invalid("metadata.annotations", key, problem)));
            total += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value.Text() ?? "");
        }

        if (total > ApiLimits.AnnotationBytes)
        {
            errors.Add(FieldError.TooLong("metadata.annotations", ApiLimits.AnnotationBytes));
        }
    }

    private static IEnumerable<string> NameProblems(ResourceDefinition resource, string name) => resource.GroupResource switch
    {
        "services" => NameText.DnsLabel1035(name),
        _ when resource.Group is "rbac.authorization.k8s.io" => NameText.PathSegment(name),
        _ when _labelNamed.Contains(resource.GroupResource, StringComparer.Ordinal) => NameText.DnsLabel(name),
        _ => NameText.DnsSubdomain(name),
    };
}
