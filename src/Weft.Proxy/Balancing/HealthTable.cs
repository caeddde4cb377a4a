// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Balancing;

/// <summary>
/// The endpoints of one cluster as all loops of a proxy know them together; it outlives plans. A change of anybody's health raises
/// <see cref="Version"/>; each loop sees that at its next choice and looks again.
/// </summary>
internal sealed class HealthTable(int loops)
{
    private Dictionary<IpEndpoint, EndpointHealth> _byAddress = [];
    private EndpointHealth[] _all = [];
    private int _version;

    internal int Version => Volatile.Read(ref _version);

    /// <summary>A snapshot.</summary>
    internal EndpointHealth[] All => Volatile.Read(ref _all);

    internal int Loops => loops;

    internal EndpointHealth? Find(IpEndpoint address) => Volatile.Read(ref _byAddress).GetValueOrDefault(address);

    /// <summary>
    /// Takes over what a plan says; called by one thread at a time, before the loops take the plan over. Endpoints that stay keep what is
    /// known of them. Addresses that cannot be read are left out and returned.
    /// </summary>
    internal IReadOnlyList<string> Update(EquatableArray<EndpointPlan> endpoints)
    {
        List<string> unreadable = [];
        var byAddress = new Dictionary<IpEndpoint, EndpointHealth>(endpoints.Count);
        var all = new List<EndpointHealth>(endpoints.Count);
        foreach (var plan in endpoints)
        {
            if (!IpEndpoint.TryParse(plan.Address, plan.Port, out var address))
            {
                unreadable.Add(plan.Address);
                continue;
            }

            if (!byAddress.ContainsKey(address))
            {
                var health = _byAddress.GetValueOrDefault(address) ?? new EndpointHealth(address, plan, loops);
                health.Plan = plan;
                byAddress[address] = health;
                all.Add(health);
            }
        }

        Volatile.Write(ref _byAddress, byAddress);
        Volatile.Write(ref _all, [.. all]);
        return unreadable;
    }

    /// <summary>Somebody's health is another now.</summary>
    internal void Changed() => Interlocked.Increment(ref _version);
}
