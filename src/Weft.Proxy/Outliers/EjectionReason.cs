// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Outliers;

/// <summary>Which detector took an endpoint out.</summary>
internal enum EjectionReason
{
    ServerErrors,
    GatewayErrors,
    LocalFailures,
    SuccessRate,
    LocalSuccessRate,
    FailurePercentage,
    LocalFailurePercentage,
}

/// <summary>The words for <see cref="EjectionReason"/>.</summary>
internal static class EjectionReasons
{
    internal const int Count = (int)EjectionReason.LocalFailurePercentage + 1;

    /// <summary>As Envoy's metrics call it.</summary>
    internal static string MetricName(this EjectionReason reason) => reason switch
    {
        EjectionReason.ServerErrors => "consecutive_5xx",
        EjectionReason.GatewayErrors => "consecutive_gateway_failure",
        EjectionReason.LocalFailures => "consecutive_local_origin_failure",
        EjectionReason.SuccessRate => "success_rate",
        EjectionReason.LocalSuccessRate => "local_origin_success_rate",
        EjectionReason.FailurePercentage => "failure_percentage",
        _ => "local_origin_failure_percentage",
    };

    /// <summary>For the log.</summary>
    internal static string Sentence(this EjectionReason reason) => reason switch
    {
        EjectionReason.ServerErrors => "too many 5xx in a row",
        EjectionReason.GatewayErrors => "too many 502, 503 or 504 in a row",
        EjectionReason.LocalFailures => "too many failures to reach it in a row",
        EjectionReason.SuccessRate => "a success rate far below that of the others",
        EjectionReason.LocalSuccessRate => "it is reached far more rarely than the others",
        EjectionReason.FailurePercentage => "too large a share of failed answers",
        _ => "too large a share of failures to reach it",
    };
}
