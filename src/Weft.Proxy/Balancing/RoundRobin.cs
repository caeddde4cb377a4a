// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Balancing;

/// <summary>
/// One after the other; with different weights by earliest deadline, so that a heavy endpoint's turns are spread over the round. Begins
/// at a place of chance, else all proxies would begin with the same endpoint.
/// </summary>
internal sealed class RoundRobin(SlowStartPlan? slowStart) : Balancer
{
    private readonly Edf _schedule = new();
    private EndpointState[] _endpoints = [];
    private bool _isEven;
    private uint _next;

    public override void Begin(EndpointState[] endpoints, in PickRequest request)
    {
        _endpoints = endpoints;
        _isEven = slowStart is null && HasEqualWeights(endpoints);
        if (endpoints.Length == 0)
        {
            return;
        }

        if (_isEven)
        {
            _next = (uint)request.Random.Next(endpoints.Length);
            return;
        }

        var weights = new double[endpoints.Length];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = SlowStart.WeightOf(endpoints[i], slowStart, request.Now);
        }

        _schedule.Begin(weights, request.Random);
    }

    public override EndpointState Pick(in PickRequest request)
    {
        if (_isEven)
        {
            return _endpoints[(int)(_next++ % (uint)_endpoints.Length)];
        }

        var endpoint = _endpoints[_schedule.Next];
        _schedule.Pass(SlowStart.WeightOf(endpoint, slowStart, request.Now));
        return endpoint;
    }
}
