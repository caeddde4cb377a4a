// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Validation;

/// <summary>Jobs, cron jobs, autoscalers, disruption budgets.</summary>
internal static class BatchRules
{
    private const int LongestCronName = 52;

    private static readonly string[] _counts =
        ["parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished", "activeDeadlineSeconds", "backoffLimitPerIndex"];

    public static void Job(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        JobSpec(spec, "spec", errors);
        if (spec["selector"] is null)
        {
            errors.Add(FieldError.Required("spec.selector"));
        }

        if (old is null)
        {
            return;
        }

        foreach (var field in new[] { "completions", "selector", "template", "completionMode", "podFailurePolicy", "backoffLimitPerIndex" })
        {
            var mayChange = field is "template" && (old["spec"] as JsonObject)?.Flag("suspend") is true;
            if (!mayChange && !JsonNode.DeepEquals(old.At("spec", field), spec[field]))
            {
                errors.Add(FieldError.Invalid("spec." + field, spec[field] is JsonValue value ? (object?)value.Number() ?? value.Text() : new Verbatim(JsonText.String(spec[field])), "field is immutable"));
            }
        }
    }

    public static void CronJob(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        if ((tree.At("metadata", "name").Text() ?? "").Length > LongestCronName)
        {
            errors.Add(FieldError.Invalid("metadata.name", tree.At("metadata", "name").Text(), "must be no more than 52 characters"));
        }

        if (spec.Text("schedule") is not { Length: > 0 } schedule)
        {
            errors.Add(FieldError.Required("spec.schedule"));
        }
        else if (CronText.Problem(schedule) is { } problem)
        {
            errors.Add(FieldError.Invalid("spec.schedule", schedule, problem));
        }

        if (spec.Text("timeZone") is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            errors.Add(FieldError.Invalid("spec.timeZone", zone, "unknown time zone " + zone));
        }

        if (spec.Text("concurrencyPolicy") is { } policy && policy is not ("Allow" or "Forbid" or "Replace"))
        {
            errors.Add(FieldError.NotSupported("spec.concurrencyPolicy", policy, "Allow", "Forbid", "Replace"));
        }

        NotNegative(spec, "spec", errors, "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit");
        JobSpec(spec.At("jobTemplate", "spec") as JsonObject ?? [], "spec.jobTemplate.spec", errors);
    }

    public static void Autoscaler(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        var most = spec.Number("maxReplicas") ?? 0;
        if (string.IsNullOrEmpty(spec.At("scaleTargetRef", "kind").Text()))
        {
            errors.Add(FieldError.Required("spec.scaleTargetRef.kind"));
        }

        if (string.IsNullOrEmpty(spec.At("scaleTargetRef", "name").Text()))
        {
            errors.Add(FieldError.Required("spec.scaleTargetRef.name"));
        }

        if (spec.Number("minReplicas") is < 1 and var least)
        {
            errors.Add(FieldError.Invalid("spec.minReplicas", least, "must be greater than or equal to 1"));
        }

        if (most < 1)
        {
            errors.Add(FieldError.Invalid("spec.maxReplicas", most, "must be greater than 0"));
        }

        if (most < (spec.Number("minReplicas") ?? 1))
        {
            errors.Add(FieldError.Invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"));
        }

        ScalingRulesCheck.Check(spec["behavior"], errors);
    }

    public static void DisruptionBudget(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        if (spec["minAvailable"] is not null && spec["maxUnavailable"] is not null)
        {
            errors.Add(FieldError.Invalid(
                "spec", new Verbatim(JsonText.String(spec)), "minAvailable and maxUnavailable cannot be both set"));
        }

        if (spec.Text("unhealthyPodEvictionPolicy") is { } policy && policy is not ("AlwaysAllow" or "IfHealthyBudget"))
        {
            errors.Add(FieldError.NotSupported("spec.unhealthyPodEvictionPolicy", policy, "AlwaysAllow", "IfHealthyBudget"));
        }
    }

    private static void JobSpec(JsonObject spec, string path, List<FieldError> errors)
    {
        NotNegative(spec, path, errors, _counts);
        var template = spec["template"] as JsonObject ?? [];
        MetadataRules.Labels(template.At("metadata", "labels"), path + ".template.labels", errors);
        PodRules.Spec(template["spec"] as JsonObject ?? [], path + ".template.spec", errors);
        var policy = template.At("spec", "restartPolicy").Text();
        if (policy is not ("OnFailure" or "Never"))
        {
            errors.Add(string.IsNullOrEmpty(policy)
                ? FieldError.Required(path + ".template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"")
                : FieldError.NotSupported(path + ".template.spec.restartPolicy", policy, "OnFailure", "Never"));
        }

        if (spec.Text("completionMode") is "Indexed" && spec["completions"] is null)
        {
            errors.Add(FieldError.Required(path + ".completions", "when completion mode is Indexed"));
        }
    }

    private static void NotNegative(JsonObject spec, string path, List<FieldError> errors, params string[] fields)
    {
        foreach (var field in fields)
        {
            if (spec.Number(field) is < 0 and var value)
            {
                errors.Add(FieldError.Invalid($"{path}.{field}", value, "must be greater than or equal to 0"));
            }
        }
    }
}
