// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Jobs;

/// <summary>What a Job's <c>podFailurePolicy</c> says about a failed pod. Pure.</summary>
internal static class FailurePolicy
{
    /// <summary>The first rule that matches: its action, and why in Kubernetes' words; null if the failure just counts.</summary>
    public static (string Action, string Message)? Judge(JsonObject job, JsonObject pod)
    {
        var place = 0;
        foreach (var rule in job.Objects("spec", "podFailurePolicy", "rules"))
        {
            var action = rule.Text("action") ?? "Count";
            if (Matches(rule, pod) is { } what)
            {
                return (action, string.Create(CultureInfo.InvariantCulture, $"{what} matching {action} rule at index {place}"));
            }

            place++;
        }

        return null;
    }

    private static string? Matches(JsonObject rule, JsonObject pod)
    {
        var name = $"{pod.Namespace()}/{pod.Name()}";
        if (rule.Find("onExitCodes") is JsonObject codes)
        {
            foreach (var container in pod.Objects("status", "containerStatuses").Concat(pod.Objects("status", "initContainerStatuses")))
            {
                if (container.Number("state", "terminated", "exitCode") is { } code and not 0 && IsMeant(codes, container, code))
                {
                    return string.Create(CultureInfo.InvariantCulture, $"Container {container.Text("name")} for pod {name} failed with exit code {code}");
                }
            }
        }

        foreach (var wanted in rule.Objects("onPodConditions"))
        {
            if (pod.Objects("status", "conditions").Any(
                condition => condition.Text("type") == wanted.Text("type") && condition.Text("status") == (wanted.Text("status") ?? "True")))
            {
                return $"Pod {name} has condition {wanted.Text("type")}";
            }
        }

        return null;
    }

    private static bool IsMeant(JsonObject codes, JsonObject container, long code)
    {
        if (codes.Text("containerName") is { Length: > 0 } only && only != container.Text("name"))
        {
            return false;
        }

        var listed = codes.Find("values") is JsonArray values && values.Any(value => value is JsonValue && value.ToJsonString() == code.ToString(CultureInfo.InvariantCulture));
        return codes.Text("operator") == "NotIn" ? !listed : listed;
    }
}
