// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>Endpoints among which one balancer chooses: those of a priority, or of one locality of it.</summary>
internal sealed class EndpointGroup(EndpointState[] all, int weight, Balancer balancer)
{
    private EndpointState[] _usable = [];

    /// <summary>The locality's; 0 gets nothing where localities are weighed.</summary>
    internal int Weight => weight;

    internal ReadOnlySpan<EndpointState> All => all;

    internal int UsableCount => _usable.Length;

    /// <summary>Looks at every endpoint's health anew.</summary>
    internal void Refresh(bool anyHealth, in PickRequest request)
    {
        foreach (var endpoint in all)
        {
            endpoint.NoteHealth(request.Now);
        }

        _usable = anyHealth ? all : Array.FindAll(all, endpoint => endpoint.IsAvailable);
        balancer.Begin(_usable, request);
    }

    /// <summary>Chooses; there must be a usable endpoint.</summary>
    internal EndpointState Pick(in PickRequest request)
    {
        var pick = balancer.Pick(request);
        if (request.Tried.IsEmpty || _usable.Length == 1)
        {
            return pick;
        }

        for (var i = 1; i < EndpointSet.ReselectionAttempts && request.Tried.Contains(pick.Address); i++)
        {
            pick = balancer.Pick(request);
        }

        return request.Tried.Contains(pick.Address) ? FirstUntried(request) ?? pick : pick;
    }

    private EndpointState? FirstUntried(in PickRequest request)
    {
        var start = request.Random.Next(_usable.Length);
        for (var i = 0; i < _usable.Length; i++)
        {
            var candidate = _usable[(start + i) % _usable.Length];
            if (!request.Tried.Contains(candidate.Address))
            {
                return candidate;
            }
        }

        return null;
    }
}
