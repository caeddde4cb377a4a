// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>What a cluster is for.</summary>
internal sealed record Target(Service Service, ServicePort Port, Subset? Subset, MergedDestination? Merged, EndpointFacts Facts)
{
    public string Name { get; } = Names.Outbound(Port.Port, Subset?.Name ?? "", Service.Host);

    public TrafficPolicy Policy { get; } = Merged?.Effective(Port.Port, Subset) ?? TrafficPolicy.None;
}
