// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Balancing;

/// <summary>What one loop knows of one endpoint of a cluster. It outlives plans, so that requests under way stay counted.</summary>
internal sealed class EndpointState(IpEndpoint address, EndpointPlan plan)
{
    public IpEndpoint Address { get; } = address;

    /// <summary>As the newest plan says it.</summary>
    public EndpointPlan Plan { get; internal set; } = plan;

    /// <summary>Requests of this loop that are under way there.</summary>
    public int Active { get; private set; }

    /// <summary>Taken out of rotation by what was seen of it, not by the plan.</summary>
    public bool IsEjected { get; internal set; }

    /// <summary>May be chosen.</summary>
    public bool IsAvailable => Plan.Healthy && !IsEjected;

    internal int Weight => Math.Max(1, Plan.Weight);

    /// <summary>Position in smooth weighted round robin.</summary>
    internal long Credit { get; set; }

    /// <summary>A request was sent there; each needs its <see cref="End"/>.</summary>
    public void Begin() => Active++;

    public void End() => Active--;
}
