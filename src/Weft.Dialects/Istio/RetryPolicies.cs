// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>retries: how often, when, and how long each try may take.</summary>
internal static class RetryPolicies
{
    private const int MaxAttempts = 1_000;

    private static readonly string[] _conditions =
    [
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited", "retriable-4xx",
        "refused-stream", "retriable-status-codes", "retriable-headers", "http3-post-connect-failure", "cancelled",
        "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    ];

    public static Retries Read(ObjectReader retries)
    {
        var attempts = retries.Integer("attempts", 0, MaxAttempts) ?? 0;
        var perTry = retries.DurationMs("perTryTimeout") ?? 0;
        var backoff = retries.DurationMs("backoff") ?? 0;
        var conditions = ReadConditions(retries);
        if (attempts == 0)
        {
            foreach (var name in new[] { "perTryTimeout", "retryOn", "backoff", "retryIgnorePreviousHosts", "retryRemoteLocalities" })
            {
                if (retries.Find(name) is { } field)
                {
                    retries.Findings.Add(IstioMessages.RetriesOffWithFields, field.KeyPlace, field.Path);
                }
            }
        }

        var avoids = retries.Boolean("retryIgnorePreviousHosts") ?? true;
        var remote = retries.Boolean("retryRemoteLocalities") ?? false;
        retries.Finish();
        return new Retries(attempts, perTry, conditions, backoff) { AvoidsTriedEndpoints = avoids, LeavesTriedPriorities = remote };
    }

    /// <summary>Null means the mesh's default; an empty text means the same.</summary>
    private static EquatableArray<string>? ReadConditions(ObjectReader retries)
    {
        if (retries.Find("retryOn") is not { } field || field.AsText() is not { } text)
        {
            return null;
        }

        var tokens = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var token in tokens)
        {
            var isStatus = token.Length == 3 && token[0] is >= '1' and <= '5' && !token.AsSpan().ContainsAnyExceptInRange('0', '9');
            if (isStatus || _conditions.Contains(token, StringComparer.Ordinal))
            {
                continue;
            }

            if (NearestName.Of(token, _conditions) is { } nearest)
            {
                field.Findings.AddWithCure($"Did you mean '{nearest}'?", IstioMessages.UnknownRetryCondition, field.Place, token, "");
            }
            else
            {
                field.Report(IstioMessages.UnknownRetryCondition, token, string.Join(", ", _conditions));
            }
        }

        return tokens.Length == 0 ? null : [.. tokens];
    }
}
