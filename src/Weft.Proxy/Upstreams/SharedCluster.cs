// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Outliers;

namespace Weft.Proxy.Upstreams;

/// <summary>What all loops of a proxy know together of a cluster: health, ejections, limits. It outlives plans.</summary>
internal sealed class SharedCluster
{
    internal SharedCluster(string name, SharedClusters table)
    {
        Name = name;
        Tell = table.Tell;
        Usage = new ClusterUsage[table.Loops];
        for (var i = 0; i < Usage.Length; i++)
        {
            Usage[i] = new ClusterUsage();
        }

        Health = new HealthTable(table.Loops);
        Outliers = new OutlierDetector(Health, table.Clock, table.Tell);
        Breaker = new CircuitBreaker(Usage);
    }

    internal string Name { get; }

    /// <summary>Told of what operators want to read in a log; null for nobody.</summary>
    internal Action<string>? Tell { get; }

    /// <summary>As the plan in force says it; null before any does.</summary>
    internal ClusterPlan? Plan { get; private set; }

    internal HealthTable Health { get; }

    internal OutlierDetector Outliers { get; }

    internal CircuitBreaker Breaker { get; }

    /// <summary>One for each loop.</summary>
    internal ClusterUsage[] Usage { get; }

    /// <summary>Takes a plan over; the loops do after it.</summary>
    internal void Update(ClusterEntry entry)
    {
        Plan = entry.Plan;
        Health.Update(entry.Endpoints);
        Breaker.Use(entry.Plan.Breaker);
        Outliers.Use(entry.Plan);
    }
}
