// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Upstreams;

/// <summary>
/// Says whether a cluster may take more. The limits are the proxy's, so the loops' figures are added up; each loop writes only its own, so
/// that several loops asking in the same moment may pass a limit by one each.
/// </summary>
internal sealed class CircuitBreaker(ClusterUsage[] loops)
{
    private CircuitBreakerPlan _plan = CircuitBreakerPlan.Default;

    internal CircuitBreakerPlan Plan => Volatile.Read(ref _plan);

    internal bool MayConnect => IsBelow(Plan.MaxConnections, ClusterFigure.Connections);

    internal bool MayWait => IsBelow(Plan.MaxPendingRequests, ClusterFigure.Pending);

    internal bool MayRequest => IsBelow(Plan.MaxRequests, ClusterFigure.Requests);

    internal bool MayRetry => Plan is { Budget: { } budget }
        ? Sum(ClusterFigure.Retries) < RetriesAllowed(budget, Sum(ClusterFigure.Requests) + Sum(ClusterFigure.Pending))
        : IsBelow(Plan.MaxRetries, ClusterFigure.Retries);

    internal void Use(CircuitBreakerPlan plan) => Volatile.Write(ref _plan, plan);

    internal long Sum(ClusterFigure figure)
    {
        var sum = 0L;
        foreach (var loop in loops)
        {
            sum += loop[figure];
        }

        return sum;
    }

    /// <summary>The budget's share of what is under way, at least its minimum.</summary>
    internal static long RetriesAllowed(RetryBudgetPlan budget, long underWay) =>
        Math.Max(budget.MinConcurrency, (long)(budget.Percent / 100 * underWay));

    private bool IsBelow(int limit, ClusterFigure figure) => limit == 0 || Sum(figure) < limit;
}
