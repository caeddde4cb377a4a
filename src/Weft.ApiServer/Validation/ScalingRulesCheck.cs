// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Validation;

/// <summary>An autoscaler's <c>behavior</c>: how fast each direction may go.</summary>
internal static class ScalingRulesCheck
{
    private const long LongestWindow = 3600;
    private const long LongestPeriod = 1800;

    public static void Check(JsonNode? behavior, List<FieldError> errors)
    {
        foreach (var direction in (string[])["scaleUp", "scaleDown"])
        {
            if (behavior?[direction] is JsonObject rules)
            {
                Rules(rules, $"spec.behavior.{direction}", errors);
            }
        }
    }

    private static void Rules(JsonObject rules, string path, List<FieldError> errors)
    {
        if (rules.Text("selectPolicy") is { } select and not ("Max" or "Min" or "Disabled"))
        {
            errors.Add(FieldError.NotSupported($"{path}.selectPolicy", select, "Disabled", "Max", "Min"));
        }

        if (rules.Number("stabilizationWindowSeconds") is { } window and (< 0 or > LongestWindow))
        {
            errors.Add(FieldError.Invalid(
                $"{path}.stabilizationWindowSeconds", window, window < 0 ? "must be greater than or equal to zero" : $"must be less than or equal to {LongestWindow}"));
        }

        if (Weft.Kubernetes.Quantity.Parse(rules["tolerance"]) is < 0)
        {
            errors.Add(FieldError.Invalid($"{path}.tolerance", rules.Text("tolerance"), "must be greater than or equal to 0"));
        }

        if (rules["policies"] is JsonArray { Count: 0 })
        {
            errors.Add(FieldError.Required($"{path}.policies", "must specify at least one Policy"));
        }

        foreach (var (policy, i) in rules["policies"].Items().Select((p, i) => (p, i)))
        {
            Policy(policy, string.Create(CultureInfo.InvariantCulture, $"{path}.policies[{i}]"), errors);
        }
    }

    private static void Policy(JsonObject policy, string path, List<FieldError> errors)
    {
        if (policy.Text("type") is { } type and not ("Pods" or "Percent"))
        {
            errors.Add(FieldError.NotSupported($"{path}.type", type, "Percent", "Pods"));
        }

        if (policy.Number("value") is { } value and <= 0)
        {
            errors.Add(FieldError.Invalid($"{path}.value", value, "must be greater than zero"));
        }

        if (policy.Number("periodSeconds") is { } period and (<= 0 or > LongestPeriod))
        {
            errors.Add(FieldError.Invalid($"{path}.periodSeconds", period, period <= 0 ? "must be greater than zero" : $"must be less than or equal to {LongestPeriod}"));
        }
    }
}
