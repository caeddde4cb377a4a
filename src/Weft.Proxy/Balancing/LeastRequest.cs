// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Balancing;

/// <summary>
/// Among equals draws two and takes the one with fewer requests under way: nearly as good as looking at all, and it does not send everybody
/// to the same newcomer. With different weights (or slow start) goes by earliest deadline, each weight divided by the endpoint's requests
/// under way plus one, as Envoy does.
/// </summary>
internal sealed class LeastRequest(SlowStartPlan? slowStart) : Balancer
{
    private readonly Edf _schedule = new();
    private EndpointState[] _endpoints = [];
    private bool _isEven;

    public override void Begin(EndpointState[] endpoints, in PickRequest request)
    {
        _endpoints = endpoints;
        _isEven = slowStart is null && HasEqualWeights(endpoints);
        if (_isEven)
        {
            return;
        }

        var weights = new double[endpoints.Length];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = WeightOf(endpoints[i], request.Now);
        }

        _schedule.Begin(weights, request.Random);
    }

    public override EndpointState Pick(in PickRequest request)
    {
        if (_isEven)
        {
            var first = _endpoints[request.Random.Next(_endpoints.Length)];
            var second = _endpoints[request.Random.Next(_endpoints.Length)];
            return second.Active < first.Active ? second : first;
        }

        var endpoint = _endpoints[_schedule.Next];
        _schedule.Pass(WeightOf(endpoint, request.Now));
        return endpoint;
    }

    private double WeightOf(EndpointState endpoint, long now) =>
        SlowStart.WeightOf(endpoint, slowStart, now) / (endpoint.Active + 1);
}
