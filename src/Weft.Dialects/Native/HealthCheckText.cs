// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Kubernetes;
using Weft.Model.Plan;

namespace Weft.Dialects.Native;

/// <summary>
/// Reads health checks as they are written in annotations: what is asked, then any of <c>every</c>, <c>timeout</c>, <c>port</c>,
/// <c>host</c>, <c>healthy</c>, <c>unhealthy</c> with a value each.
/// <code>
/// http GET /healthz every 5s timeout 1s
/// tcp every 10s port 9000
/// </code>
/// </summary>
internal static class HealthCheckText
{
    private const int DefaultIntervalMs = 10_000;
    private const int DefaultTimeoutMs = 1_000;
    private const int DefaultHealthy = 2;
    private const int DefaultUnhealthy = 3;
    private const int MinIntervalMs = 100;
    private const int MaxThreshold = 100;

    public static bool TryParse(string text, out HealthCheckPlan plan, out string reason)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var at = 1;
        plan = new HealthCheckPlan(HealthCheckKind.Tcp, "", "", 0, DefaultIntervalMs, DefaultTimeoutMs, DefaultUnhealthy, DefaultHealthy);
        switch (words.Length == 0 ? "" : words[0])
        {
            case "tcp":
                break;
            case "http":
                at += at < words.Length && words[at] is "GET" ? 1 : 0;
                if (at == words.Length || !words[at].StartsWith('/'))
                {
                    reason = "after http a path is expected, as in 'http GET /healthz'";
                    return false;
                }

                plan = plan with { Kind = HealthCheckKind.Http, Path = words[at++] };
                break;
            default:
                reason = "it begins with http or tcp";
                return false;
        }

        return TryOptions(words.AsSpan(at), ref plan, out reason);
    }

    private static bool IsOption(string word) => word is "every" or "timeout" or "port" or "host" or "healthy" or "unhealthy";

    private static bool TryOptions(ReadOnlySpan<string> words, ref HealthCheckPlan plan, out string reason)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < words.Length; i += 2)
        {
            var name = words[i];
            if (!IsOption(name) || i + 1 == words.Length || !seen.Add(name))
            {
                reason = !IsOption(name) ? $"'{name}' is not known, every, timeout, port, host, healthy and unhealthy are"
                    : i + 1 == words.Length ? $"'{name}' has no value"
                    : $"'{name}' is given twice";
                return false;
            }

            if (!TrySet(name, words[i + 1], ref plan, out reason))
            {
                reason = $"{name} '{words[i + 1]}': {reason}";
                return false;
            }
        }

        // An answer that is still awaited when the next question is due would be counted twice.
        if (!seen.Contains("timeout"))
        {
            plan = plan with { TimeoutMs = Math.Min(plan.TimeoutMs, plan.IntervalMs) };
        }

        reason = "the timeout is longer than the interval";
        return plan.TimeoutMs <= plan.IntervalMs;
    }

    private static bool TrySet(string name, string value, ref HealthCheckPlan plan, out string reason)
    {
        reason = "";
        if (name is "every" or "timeout")
        {
            if (!Annotations.TryDuration(value, name is "every" ? MinIntervalMs : 1, out var ms, out reason))
            {
                return false;
            }

            plan = name is "every" ? plan with { IntervalMs = ms } : plan with { TimeoutMs = ms };
            return true;
        }

        if (name is "host")
        {
            plan = plan with { Host = value };
            reason = "tcp has no host";
            return plan.Kind != HealthCheckKind.Tcp;
        }

        var most = name is "port" ? ushort.MaxValue : MaxThreshold;
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1 || number > most)
        {
            reason = $"a number from 1 to {most} is expected";
            return false;
        }

        plan = name switch
        {
            "port" => plan with { Port = number },
            "healthy" => plan with { HealthyThreshold = number },
            _ => plan with { UnhealthyThreshold = number },
        };
        return true;
    }
}
