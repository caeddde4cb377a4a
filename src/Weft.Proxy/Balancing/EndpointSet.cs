// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Balancing;

/// <summary>
/// The endpoints of one cluster on one loop, and the choice among them. Belongs to its loop: no locks. An endpoint that is not
/// available is never chosen; if none is, nothing is (503, flag UH): sending to endpoints known to be broken helps nobody.
/// </summary>
internal sealed class EndpointSet
{
    /// <summary>How often a retry asks for another endpoint than the ones tried before it looks for itself; Envoy's number.</summary>
    public const int ReselectionAttempts = 5;

    private readonly Dictionary<IpEndpoint, EndpointState> _byAddress = [];
    private EndpointState[] _all = [];
    private EndpointState[] _available = [];
    private long _totalWeight;
    private Balancer? _balancer;
    private LoadBalancerKind _kind;

    /// <summary>All endpoints of the newest plan, available or not.</summary>
    public ReadOnlySpan<EndpointState> All => _all;

    public int AvailableCount => _available.Length;

    /// <summary>
    /// Takes over what a plan says. Endpoints that stay keep their state; those that are gone are forgotten once their requests end.
    /// An address that cannot be read is left out and named in the result, for the log.
    /// </summary>
    public IReadOnlyList<string> Update(LoadBalancerKind kind, EquatableArray<EndpointPlan> endpoints, Random random)
    {
        List<string> unreadable = [];
        var all = new List<EndpointState>(endpoints.Count);
        var seen = new HashSet<IpEndpoint>();
        foreach (var plan in endpoints)
        {
            if (!IpEndpoint.TryParse(plan.Address, plan.Port, out var address))
            {
                unreadable.Add(plan.Address);
                continue;
            }

            if (!seen.Add(address))
            {
                continue;
            }

            if (_byAddress.TryGetValue(address, out var state))
            {
                state.Plan = plan;
            }
            else
            {
                _byAddress[address] = state = new EndpointState(address, plan);
            }

            all.Add(state);
        }

        foreach (var old in _all)
        {
            if (!seen.Contains(old.Address))
            {
                _byAddress.Remove(old.Address);
            }
        }

        _all = [.. all];
        if (_balancer is null || _kind != kind)
        {
            (_balancer, _kind) = (Balancers.For(kind), kind);
        }

        Rebuild(random);
        return unreadable;
    }

    public void Eject(EndpointState endpoint, Random random)
    {
        endpoint.IsEjected = true;
        Rebuild(random);
    }

    public void Restore(EndpointState endpoint, Random random)
    {
        endpoint.IsEjected = false;
        Rebuild(random);
    }

    /// <summary>Chooses an endpoint; null if none is available. Endpoints tried before are avoided while there are others.</summary>
    public EndpointState? Pick(Random random, params ReadOnlySpan<IpEndpoint> tried)
    {
        if (_available.Length == 0)
        {
            return null;
        }

        var pick = _balancer!.Pick(_available, _totalWeight, random);
        if (tried.IsEmpty || _available.Length == 1)
        {
            return pick;
        }

        for (var i = 1; i < ReselectionAttempts && tried.Contains(pick.Address); i++)
        {
            pick = _balancer.Pick(_available, _totalWeight, random);
        }

        return tried.Contains(pick.Address) ? FirstUntried(random, tried) ?? pick : pick;
    }

    private EndpointState? FirstUntried(Random random, ReadOnlySpan<IpEndpoint> tried)
    {
        var start = random.Next(_available.Length);
        for (var i = 0; i < _available.Length; i++)
        {
            var candidate = _available[(start + i) % _available.Length];
            if (!tried.Contains(candidate.Address))
            {
                return candidate;
            }
        }

        return null;
    }

    private void Rebuild(Random random)
    {
        _available = Array.FindAll(_all, endpoint => endpoint.IsAvailable);
        _totalWeight = 0;
        foreach (var endpoint in _available)
        {
            _totalWeight += endpoint.Weight;
        }

        _balancer!.Begin(_available, random);
    }
}
