// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Plan;
using Weft.Proxy.Balancing;

namespace Weft.Proxy.Outliers;

/// <summary>
/// Takes endpoints of one cluster out of rotation by what all loops of the proxy see of them, and lets them back (Envoy's
/// outlier_detection). Loops report outcomes without a lock; only an ejection and the look at every interval take one.
/// </summary>
internal sealed class OutlierDetector(HealthTable table, TimeProvider clock, Action<string>? tell)
{
    /// <summary>Longest ejection where the plan names none (Envoy's max_ejection_time).</summary>
    internal const int DefaultMaxEjectionMs = 300_000;

    private readonly Lock _gate = new();
    private readonly long[] _detected = new long[EjectionReasons.Count];
    private readonly long[] _enforced = new long[EjectionReasons.Count];
    private readonly long _origin = clock.GetTimestamp();
    private OutlierPlan? _plan;
    private string _cluster = "";
    private string _author = "";
    private long _overflow;

    /// <summary>Null where the plan wants none.</summary>
    internal OutlierPlan? Plan => Volatile.Read(ref _plan);

    /// <summary>Ejections that the limit in percent forbade.</summary>
    internal long Overflow => Volatile.Read(ref _overflow);

    /// <summary>Average success rate of the last interval in percent; -1 without one.</summary>
    internal double AverageSuccessRate { get; private set; } = -1;

    /// <summary>Below this an endpoint was ejected in the last interval; -1 without one.</summary>
    internal double SuccessRateThreshold { get; private set; } = -1;

    internal long Detected(EjectionReason reason) => Volatile.Read(ref _detected[(int)reason]);

    internal long Enforced(EjectionReason reason) => Volatile.Read(ref _enforced[(int)reason]);

    /// <summary>Endpoints that are out now.</summary>
    internal int Active()
    {
        var count = 0;
        foreach (var endpoint in table.All)
        {
            count += endpoint.IsEjected ? 1 : 0;
        }

        return count;
    }

    /// <summary>Goes by another plan from now on; without one everybody comes back.</summary>
    internal void Use(ClusterPlan cluster)
    {
        lock (_gate)
        {
            _cluster = cluster.Name;
            _author = cluster.Origin.Where;
            Volatile.Write(ref _plan, cluster.Outlier);
            if (cluster.Outlier is not null)
            {
                return;
            }

            foreach (var endpoint in table.All)
            {
                Restore(endpoint, "outlier detection is off");
            }
        }
    }

    /// <summary>The endpoint answered; gRPC answers count by the HTTP status that stands for theirs.</summary>
    internal void Answered(EndpointState endpoint, int status)
    {
        var plan = Plan;
        if (plan is { ErrorCodes.Count: > 0 })
        {
            // Who names statuses means them for both thresholds.
            var named = plan.ErrorCodes.AsSpan().Contains(status);
            endpoint.Tally.AddAnswer(named);
            CountInRow(endpoint.Health, plan, named, isGateway: named);
            return;
        }

        var failed = status is >= 500 and < 600;
        endpoint.Tally.AddAnswer(failed);
        if (plan is not null)
        {
            CountInRow(endpoint.Health, plan, failed, isGateway: status is 502 or 503 or 504);
        }
    }

    /// <summary>It could not be reached, broke off, or took too long.</summary>
    internal void FailedLocally(EndpointState endpoint)
    {
        var plan = Plan;
        if (plan is null || !plan.SplitLocalOrigin)
        {
            endpoint.Tally.AddAnswer(failed: true);
            if (plan is not null)
            {
                CountInRow(endpoint.Health, plan, failed: true, isGateway: true);
            }

            return;
        }

        endpoint.Tally.AddLocal(failed: true);
        var record = endpoint.Health.Ejections;
        if (plan.ConsecutiveLocalOrigin > 0 && Interlocked.Increment(ref record.LocalFailures) >= plan.ConsecutiveLocalOrigin)
        {
            Volatile.Write(ref record.LocalFailures, 0);
            Eject(endpoint.Health, EjectionReason.LocalFailures);
        }
    }

    /// <summary>It was reached. Where nothing else is heard of it (<paramref name="isAll"/>: opaque connections), this is its good answer.</summary>
    internal void Reached(EndpointState endpoint, bool isAll)
    {
        if (Plan is { SplitLocalOrigin: true })
        {
            endpoint.Tally.AddLocal(failed: false);
            Reset(ref endpoint.Health.Ejections.LocalFailures);
        }
        else if (isAll)
        {
            Answered(endpoint, 200);
        }
    }

    /// <summary>To be called at every interval: who has been out for long enough comes back; rates are compared.</summary>
    internal void Sweep()
    {
        if (Plan is not { } plan)
        {
            return;
        }

        lock (_gate)
        {
            var now = ElapsedMs();
            foreach (var endpoint in table.All)
            {
                LetBack(endpoint, plan, now);
                var record = endpoint.Ejections;
                record.Answers.Close(endpoint.Sum(tally => tally.Answers), endpoint.Sum(tally => tally.Failures));
                record.Local.Close(endpoint.Sum(tally => tally.LocalTries), endpoint.Sum(tally => tally.LocalFailures));
            }

            CompareRates(plan, record => record.Answers, EjectionReason.SuccessRate, EjectionReason.FailurePercentage);
            if (plan.SplitLocalOrigin)
            {
                CompareRates(plan, record => record.Local, EjectionReason.LocalSuccessRate, EjectionReason.LocalFailurePercentage);
            }
        }
    }

    /// <summary>A good health check is a reason to believe in an endpoint again.</summary>
    internal void OnCheckPassed(EndpointHealth endpoint)
    {
        lock (_gate)
        {
            Restore(endpoint, "it passed a health check");
        }
    }

    private void CountInRow(EndpointHealth endpoint, OutlierPlan plan, bool failed, bool isGateway)
    {
        var record = endpoint.Ejections;
        if (!failed)
        {
            Reset(ref record.ServerErrors);
            Reset(ref record.GatewayErrors);
            return;
        }

        if (!isGateway)
        {
            Reset(ref record.GatewayErrors);
        }
        else if (plan.ConsecutiveGatewayErrors > 0 && Interlocked.Increment(ref record.GatewayErrors) >= plan.ConsecutiveGatewayErrors)
        {
            Volatile.Write(ref record.GatewayErrors, 0);
            Eject(endpoint, EjectionReason.GatewayErrors);
        }

        if (plan.Consecutive5xx > 0 && Interlocked.Increment(ref record.ServerErrors) >= plan.Consecutive5xx)
        {
            Volatile.Write(ref record.ServerErrors, 0);
            Eject(endpoint, EjectionReason.ServerErrors);
        }
    }

    /// <summary>While all goes well this only reads, so that loops do not fight for the line.</summary>
    private static void Reset(ref int count)
    {
        if (Volatile.Read(ref count) != 0)
        {
            Volatile.Write(ref count, 0);
        }
    }

    private void CompareRates(OutlierPlan plan, Func<EjectionRecord, RateWindow> window, EjectionReason byRate, EjectionReason byShare)
    {
        var inRotation = Array.FindAll(table.All, endpoint => !endpoint.IsEjected);
        if (byRate == EjectionReason.SuccessRate)
        {
            AverageSuccessRate = SuccessRateThreshold = -1;
            foreach (var endpoint in inRotation)
            {
                endpoint.Ejections.SuccessRate = endpoint.Ejections.Answers.Total > 0 ? endpoint.Ejections.Answers.SuccessRate : -1;
            }
        }

        if (plan.SuccessRate is { } rates)
        {
            var enough = Array.FindAll(inRotation, endpoint => window(endpoint.Ejections).Total >= Math.Max(1, rates.RequestVolume));
            if (enough.Length > 0 && enough.Length >= rates.MinHosts)
            {
                var threshold = RateThreshold.Of([.. enough.Select(endpoint => window(endpoint.Ejections).SuccessRate)], rates.StdevFactor, out var mean);
                if (byRate == EjectionReason.SuccessRate)
                {
                    (AverageSuccessRate, SuccessRateThreshold) = (mean, threshold);
                }

                EjectAll(Array.FindAll(enough, endpoint => window(endpoint.Ejections).SuccessRate < threshold), byRate);
            }
        }

        if (plan.FailurePercentage is { } shares)
        {
            var enough = Array.FindAll(inRotation, endpoint => window(endpoint.Ejections).Total >= Math.Max(1, shares.RequestVolume));
            if (enough.Length > 0 && enough.Length >= shares.MinHosts)
            {
                EjectAll(Array.FindAll(enough, endpoint => 100 - window(endpoint.Ejections).SuccessRate >= shares.Threshold), byShare);
            }
        }
    }

    private void EjectAll(EndpointHealth[] endpoints, EjectionReason reason)
    {
        foreach (var endpoint in endpoints)
        {
            Eject(endpoint, reason);
        }
    }

    private void Eject(EndpointHealth endpoint, EjectionReason reason)
    {
        lock (_gate)
        {
            if (Plan is not { } plan || endpoint.IsEjected)
            {
                return;
            }

            _detected[(int)reason]++;
            var active = Active();
            if (active > 0 && (active + 1) * 100L > (long)plan.MaxEjectionPercent * table.All.Length)
            {
                _overflow++;
                return;
            }

            var record = endpoint.Ejections;
            if ((long)plan.BaseEjectionMs * record.Multiplier < LongestMs(plan))
            {
                record.Multiplier++;
            }

            record.Count++;
            record.EjectedAt = ElapsedMs();
            _enforced[(int)reason]++;
            endpoint.Set(HealthFlags.FailedOutlierCheck);
            table.Changed();
            tell?.Invoke(string.Create(
                CultureInfo.InvariantCulture,
                $"endpoint {endpoint.Address} of cluster '{_cluster}' is out of rotation for {DurationMs(record, plan)} ms: {reason.Sentence()} (outlier detection of {_author})"));
        }
    }

    private void LetBack(EndpointHealth endpoint, OutlierPlan plan, long now)
    {
        var record = endpoint.Ejections;
        if (!endpoint.IsEjected)
        {
            record.Multiplier = Math.Max(0, record.Multiplier - 1);
        }
        else if (now - record.EjectedAt >= DurationMs(record, plan))
        {
            Restore(endpoint, "its time is over");
        }
    }

    private void Restore(EndpointHealth endpoint, string reason)
    {
        if (!endpoint.Clear(HealthFlags.FailedOutlierCheck))
        {
            return;
        }

        // What it did before was paid for.
        var record = endpoint.Ejections;
        record.ServerErrors = record.GatewayErrors = record.LocalFailures = 0;
        table.Changed();
        tell?.Invoke($"endpoint {endpoint.Address} of cluster '{_cluster}' is back in rotation: {reason}");
    }

    private static long DurationMs(EjectionRecord record, OutlierPlan plan) =>
        Math.Min((long)plan.BaseEjectionMs * record.Multiplier, LongestMs(plan));

    private static long LongestMs(OutlierPlan plan) =>
        Math.Max(plan.MaxEjectionMs > 0 ? plan.MaxEjectionMs : DefaultMaxEjectionMs, plan.BaseEjectionMs);

    private long ElapsedMs() => (long)clock.GetElapsedTime(_origin).TotalMilliseconds;
}
