// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>outlierDetection of a traffic policy. A block without fields has Istio's values.</summary>
internal static class OutlierDetections
{
    private const int DefaultConsecutive = 5;
    private const int DefaultIntervalMs = 10_000;
    private const int DefaultEjectionMs = 30_000;
    private const int DefaultMaxEjectionMs = 300_000;
    private const int DefaultMaxPercent = 10;
    private const int MaxPercent = 100;
    private const int MinStatus = 100;
    private const int MaxStatus = 599;

    public static Said<OutlierPolicy> Read(ObjectReader detection)
    {
        var split = detection.Boolean("splitExternalLocalOriginErrors") ?? false;
        var local = detection.Integer("consecutiveLocalOriginFailures", 0, int.MaxValue);
        if (detection.Find("consecutiveLocalOriginFailures") is { } field && !split)
        {
            detection.Findings.Add(IstioMessages.LocalOriginNeedsSplit, field.KeyPlace, field.Path);
        }

        var gateway = ReadGatewayErrors(detection);
        var ejection = detection.DurationMs("baseEjectionTime") ?? DefaultEjectionMs;
        var plan = new OutlierPlan(
            detection.Integer("consecutive5xxErrors", 0, int.MaxValue) ?? DefaultConsecutive,
            gateway,
            split ? local ?? DefaultConsecutive : 0,
            split,
            detection.DurationMs("interval") ?? DefaultIntervalMs,
            ejection,
            Math.Max(DefaultMaxEjectionMs, ejection),
            detection.Integer("maxEjectionPercent", 0, MaxPercent) ?? DefaultMaxPercent);
        var health = detection.Integer("minHealthPercent", 0, MaxPercent) ?? 0;
        plan = plan with
        {
            ErrorCodes = detection.List("outlierDetectionHttpErrorCodes").Select(code => code.AsInteger(MinStatus, MaxStatus)).OfType<int>()
                .Distinct().Order().ToEquatableArray(),
        };
        detection.Finish();
        return TrafficPolicies.Said(detection, new OutlierPolicy(plan, health));
    }

    /// <summary>The old consecutiveErrors meant gateway errors; Istio has stopped to look at it, its users have not.</summary>
    private static int ReadGatewayErrors(ObjectReader detection)
    {
        detection.Exclusive("consecutiveGatewayErrors", "consecutiveErrors");
        var gateway = detection.Integer("consecutiveGatewayErrors", 0, int.MaxValue) ?? 0;
        if (detection.Find("consecutiveErrors") is not { } old)
        {
            return gateway;
        }

        detection.Findings.Add(ReadingMessages.DeprecatedField, old.KeyPlace, "consecutiveErrors", "consecutiveGatewayErrors");
        return old.AsInteger(0, int.MaxValue) ?? 0;
    }
}
