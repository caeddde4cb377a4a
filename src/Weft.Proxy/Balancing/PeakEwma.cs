// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>
/// Draws two, by weight, and takes the one of lower cost: its <see cref="Latency"/> times its requests under way plus one (Finagle's and
/// Linkerd's balancer). A slow answer counts at once, a fast one by and by.
/// </summary>
internal sealed class PeakEwma : Balancer
{
    private readonly WeightedDraw _draw = new();

    public override void Begin(EndpointState[] endpoints, in PickRequest request) => _draw.Begin(endpoints);

    public override EndpointState Pick(in PickRequest request)
    {
        var first = _draw.Draw(request.Random);
        var second = _draw.Draw(request.Random);
        return !ReferenceEquals(first, second) && CostOf(second, request.Now) < CostOf(first, request.Now) ? second : first;
    }

    private static double CostOf(EndpointState endpoint, long now) => endpoint.Latency.At(now) * (endpoint.Active + 1);
}
