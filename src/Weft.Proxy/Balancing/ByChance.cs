// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>Chooses by chance in proportion to the weights.</summary>
internal sealed class ByChance : Balancer
{
    private readonly WeightedDraw _draw = new();

    public override void Begin(EndpointState[] endpoints, in PickRequest request) => _draw.Begin(endpoints);

    public override EndpointState Pick(in PickRequest request) => _draw.Draw(request.Random);
}
