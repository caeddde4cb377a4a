// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>The stages of each direction, built once: they hold no state, so every listener shares them.</summary>
internal static class FilterOrder
{
    private static readonly Stage[] _inbound = InboundStack.Build();
    private static readonly Stage[] _outbound = OutboundStack.Build();

    internal static Stage[] For(TrafficDirection direction) =>
        direction == TrafficDirection.Inbound ? _inbound : _outbound;
}
