// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Balancing;

/// <summary>
/// What all loops of a proxy know together of one endpoint of a cluster. Flags are read by everybody and set by few; each loop counts into
/// a tally of its own, so that nothing here is contended while requests go well.
/// </summary>
internal sealed class EndpointHealth
{
    private int _flags;

    internal EndpointHealth(IpEndpoint address, EndpointPlan plan, int loops)
    {
        Plan = plan;
        Address = address;
        Key = Encoding.ASCII.GetBytes(address.ToString());
        Tallies = new EndpointTally[loops];
        for (var i = 0; i < loops; i++)
        {
            Tallies[i] = new EndpointTally();
        }
    }

    internal IpEndpoint Address { get; }

    /// <summary>As the newest plan says it, for those who show it.</summary>
    internal EndpointPlan Plan { get; set; }

    /// <summary>The address as text, which hash tables place it by.</summary>
    internal byte[] Key { get; }

    /// <summary>One for each loop; each is written by its loop alone.</summary>
    internal EndpointTally[] Tallies { get; }

    /// <summary>What outlier detection remembers of it.</summary>
    internal EjectionRecord Ejections { get; } = new();

    internal HealthFlags Flags => (HealthFlags)Volatile.Read(ref _flags);

    /// <summary>True where something seen of it, not the plan, keeps it out of rotation.</summary>
    internal bool IsOut => (Flags & HealthFlags.Out) != HealthFlags.None;

    internal bool IsEjected => (Flags & HealthFlags.FailedOutlierCheck) != HealthFlags.None;

    internal bool HasFailedCheck => (Flags & HealthFlags.FailedActiveCheck) != HealthFlags.None;

    internal bool IsUnchecked => (Flags & HealthFlags.Unchecked) != HealthFlags.None;

    /// <summary>Returns true if this changed the flag.</summary>
    internal bool Set(HealthFlags flag) => (Interlocked.Or(ref _flags, (int)flag) & (int)flag) != (int)flag;

    /// <summary>Returns true if this changed the flag.</summary>
    internal bool Clear(HealthFlags flag) => (Interlocked.And(ref _flags, ~(int)flag) & (int)flag) != 0;

    internal long Sum(Func<EndpointTally, long> figure)
    {
        var sum = 0L;
        foreach (var tally in Tallies)
        {
            sum += figure(tally);
        }

        return sum;
    }
}

/// <summary>Why an endpoint is kept out.</summary>
[Flags]
internal enum HealthFlags
{
    None = 0,

    /// <summary>Its answers were worse than they may be.</summary>
    FailedOutlierCheck = 1,

    /// <summary>It does not answer the health checks.</summary>
    FailedActiveCheck = 2,

    /// <summary>It has not been checked yet.</summary>
    Unchecked = 4,

    Out = FailedOutlierCheck | FailedActiveCheck,
}
