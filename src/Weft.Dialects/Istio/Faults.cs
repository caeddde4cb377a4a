// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>fault: delay and abort at the client. In the plan a status of 0 means none of its kind.</summary>
internal static class Faults
{
    private static readonly Choices<int> _grpcStatuses = new(
        ("CANCELLED", 1), ("UNKNOWN", 2), ("INVALID_ARGUMENT", 3), ("DEADLINE_EXCEEDED", 4), ("NOT_FOUND", 5),
        ("ALREADY_EXISTS", 6), ("PERMISSION_DENIED", 7), ("RESOURCE_EXHAUSTED", 8), ("FAILED_PRECONDITION", 9), ("ABORTED", 10),
        ("OUT_OF_RANGE", 11), ("UNIMPLEMENTED", 12), ("INTERNAL", 13), ("UNAVAILABLE", 14), ("DATA_LOSS", 15),
        ("UNAUTHENTICATED", 16));

    public static FaultPlan Read(ObjectReader fault)
    {
        var plan = new FaultPlan(0, 0, 0, 0, 0);
        if (!fault.Has("delay") && !fault.Has("abort"))
        {
            fault.Findings.Add(IstioMessages.FaultWithoutEffect, fault.Place, fault.Path);
        }

        if (fault.Child("delay") is { } delay)
        {
            delay.NotSupported("exponentialDelay");
            var fixedDelay = delay.Has("exponentialDelay") ? delay.Find("fixedDelay") : delay.Required("fixedDelay");
            plan = plan with { DelayMs = fixedDelay?.AsDurationMs(1) ?? 0, DelayPpm = Share(delay) };
            delay.Finish();
        }

        if (fault.Child("abort") is { } abort)
        {
            abort.NotSupported("http2Error");
            abort.Exclusive("httpStatus", "grpcStatus", "http2Error");
            if (!abort.Has("httpStatus") && !abort.Has("grpcStatus") && !abort.Has("http2Error"))
            {
                abort.Required("httpStatus");
            }

            plan = plan with
            {
                AbortStatus = abort.Integer("httpStatus", 200, 599) ?? 0,
                AbortGrpcStatus = abort.Choice("grpcStatus", _grpcStatuses) ?? 0,
                AbortPpm = Share(abort),
            };
            abort.Finish();
        }

        fault.Finish();
        return plan;
    }

    private static int Share(ObjectReader owner) => Percentages.Share(owner, "percentage", "percent");
}
