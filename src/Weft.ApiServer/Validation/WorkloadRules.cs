// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Selectors;

namespace Weft.ApiServer.Validation;

/// <summary>Deployments, ReplicaSets, StatefulSets, DaemonSets.</summary>
internal static class WorkloadRules
{
    public static void Check(ResourceDefinition resource, JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        foreach (var field in new[] { "replicas", "minReadySeconds", "revisionHistoryLimit" })
        {
            if (spec.Number(field) is < 0 and var value)
            {
                errors.Add(FieldError.Invalid("spec." + field, value, "must be greater than or equal to 0"));
            }
        }

        var template = spec["template"] as JsonObject ?? [];
        CheckSelector(spec, template, errors);
        MetadataRules.Labels(template.At("metadata", "labels"), "spec.template.labels", errors);
        var claimed = spec["volumeClaimTemplates"].Items().Select(claim => claim.At("metadata", "name").Text() ?? "");
        PodRules.Spec(template["spec"] as JsonObject ?? [], "spec.template.spec", errors, claimed);
        var policy = template.At("spec", "restartPolicy").Text();
        if (policy is "OnFailure" or "Never")
        {
            errors.Add(FieldError.NotSupported("spec.template.spec.restartPolicy", policy, "Always"));
        }

        CheckStrategy(resource, spec, errors);
        if (old is not null && !JsonNode.DeepEquals(old.At("spec", "selector"), spec["selector"]))
        {
            errors.Add(FieldError.Invalid("spec.selector", new Verbatim(GoSelector(spec["selector"])), "field is immutable"));
        }
    }

    private static void CheckSelector(JsonObject spec, JsonObject template, List<FieldError> errors)
    {
        var labels = template.At("metadata", "labels") as JsonObject;
        var selector = spec["selector"] as JsonObject;
        if (selector is null)
        {
            errors.Add(FieldError.Required("spec.selector"));
        }
        else if (selector.Count == 0 || (selector["matchLabels"] is not JsonObject { Count: > 0 } && !selector["matchExpressions"].Items().Any()))
        {
            errors.Add(FieldError.Invalid("spec.selector", new Verbatim(GoSelector(selector)), "empty selector is invalid for deployment"));
        }

        if (selector is null || !Matches(selector, labels))
        {
            errors.Add(FieldError.Invalid(
                "spec.template.metadata.labels", new Verbatim(GoMap(labels)), "`selector` does not match template `labels`"));
        }
    }

    private static bool Matches(JsonObject selector, JsonObject? labels)
    {
        var values = (labels ?? []).ToDictionary(pair => pair.Key, pair => pair.Value.Text() ?? "", StringComparer.Ordinal);
        var text = Tables.HumanText.Selector(selector);
        return text is Tables.HumanText.None || LabelSelector.Parse(text).Matches(values);
    }

    private static void CheckStrategy(ResourceDefinition resource, JsonObject spec, List<FieldError> errors)
    {
        var (field, allowed) = resource.Plural switch
        {
            "deployments" => ("strategy", new[] { "Recreate", "RollingUpdate" }),
            "statefulsets" or "daemonsets" => ("updateStrategy", ["OnDelete", "RollingUpdate"]),
            _ => ("", []),
        };
        var type = field.Length == 0 ? null : spec.At(field, "type").Text();
        if (type is not null && !allowed.Contains(type, StringComparer.Ordinal))
        {
            errors.Add(FieldError.NotSupported($"spec.{field}.type", type, allowed));
        }

        if (type is "Recreate" && spec.At(field, "rollingUpdate") is not null)
        {
            errors.Add(FieldError.Forbidden(
                "spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"));
        }
    }

    private static string GoSelector(JsonNode? selector) => selector is null
        ? "null"
        : $"v1.LabelSelector{{MatchLabels:{GoMap(selector.At("matchLabels") as JsonObject)}, " +
          "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}";

    private static string GoMap(JsonObject? labels) => labels is null
        ? "map[string]string(nil)"
        : "map[string]string{" + string.Join(", ", labels.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => $"\"{pair.Key}\":\"{pair.Value.Text()}\"")) + "}";
}
