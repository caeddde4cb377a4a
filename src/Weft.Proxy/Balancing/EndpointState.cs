// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Balancing;

/// <summary>What one loop knows of one endpoint of a cluster. It outlives plans, so that requests under way stay counted.</summary>
internal sealed class EndpointState(EndpointHealth health, int loop, EndpointPlan plan, long now)
{
    internal Latency Latency = new(now);

    public IpEndpoint Address { get; } = health.Address;

    /// <summary>As the newest plan says it.</summary>
    public EndpointPlan Plan { get; internal set; } = plan;

    /// <summary>What all loops know of it.</summary>
    internal EndpointHealth Health { get; } = health;

    /// <summary>This loop's counters.</summary>
    internal EndpointTally Tally { get; } = health.Tallies[loop];

    /// <summary>Requests of this loop that are under way there.</summary>
    public int Active { get; private set; }

    /// <summary>May be chosen.</summary>
    public bool IsAvailable => Plan.Healthy && !Health.IsOut;

    internal int Weight => Math.Max(1, Plan.Weight);

    /// <summary>When it came into rotation, in the loop's milliseconds; slow start counts from here.</summary>
    internal long InRotationSince { get; private set; } = now;

    private bool WasSick { get; set; }

    /// <summary>A request was sent there; each needs its <see cref="End"/>.</summary>
    public void Begin()
    {
        Active++;
        Tally.AddActive(1);
    }

    public void End()
    {
        Active--;
        Tally.AddActive(-1);
    }

    /// <summary>Who comes back after a failed check, or as the plan says, starts slowly again; who was only ejected does not.</summary>
    internal void NoteHealth(long now)
    {
        var isSick = !Plan.Healthy || Health.HasFailedCheck;
        if (WasSick && !isSick)
        {
            InRotationSince = now;
        }

        WasSick = isSick;
    }
}
