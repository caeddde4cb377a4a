// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Balancing;

/// <summary>
/// Gives each hash an owner among all endpoints of a priority, in rotation or not. Who is out is stepped over, so that only its own keys
/// move, and come back to it when it does; the table is built anew only when endpoints or weights change.
/// </summary>
internal abstract class HashTable
{
    private EndpointState[] _endpoints = [];

    /// <summary>The number of slots; at least one as soon as there is an endpoint.</summary>
    internal int Size => Slots.Length;

    /// <summary>Index of the owner, slot by slot.</summary>
    protected int[] Slots { get; set; } = [];

    internal void Build(EndpointState[] endpoints, ReadOnlySpan<double> shares)
    {
        _endpoints = endpoints;
        Slots = [];
        if (endpoints.Length > 0)
        {
            var keys = new byte[endpoints.Length][];
            for (var i = 0; i < keys.Length; i++)
            {
                keys[i] = endpoints[i].Health.Key;
            }

            Fill(keys, shares);
        }
    }

    /// <summary>The owner, or the next after it that may be chosen; null where there is none.</summary>
    /// <param name="hash">Of the request.</param>
    /// <param name="anyHealth">True in panic: endpoints that are out count as well.</param>
    /// <param name="tried">Avoided while there are others.</param>
    internal EndpointState? Find(ulong hash, bool anyHealth, ReadOnlySpan<IpEndpoint> tried)
    {
        if (Slots.Length == 0)
        {
            return null;
        }

        var start = StartOf(hash);
        EndpointState? second = null;
        for (var i = 0; i < Slots.Length; i++)
        {
            var place = start + i;
            var endpoint = _endpoints[Slots[place < Slots.Length ? place : place - Slots.Length]];
            if (!anyHealth && !endpoint.IsAvailable)
            {
                continue;
            }

            if (tried.IsEmpty || !tried.Contains(endpoint.Address))
            {
                return endpoint;
            }

            second ??= endpoint;
        }

        return second;
    }

    /// <summary>Makes the slots.</summary>
    /// <param name="keys">One for each endpoint, the same on every proxy.</param>
    /// <param name="shares">Above 0, with sum 1.</param>
    protected abstract void Fill(byte[][] keys, ReadOnlySpan<double> shares);

    /// <summary>The slot that a hash belongs to.</summary>
    protected abstract int StartOf(ulong hash);
}
