// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Weft.Wire;

/// <summary>A plan as resources; every list is sorted by name, ordinal.</summary>
public sealed record EncodedPlan(
    ImmutableArray<EncodedResource> Clusters,
    ImmutableArray<EncodedResource> Endpoints,
    ImmutableArray<EncodedResource> Listeners,
    ImmutableArray<EncodedResource> RouteTables)
{
    /// <summary>What only its own proxy may see; it is never kept on disk.</summary>
    public ImmutableArray<EncodedResource> Secrets { get; init; } = [];

    public static EncodedPlan Empty { get; } = new([], [], [], []);

    /// <summary>Every resource, in the order of <see cref="TypeUrls.InOrder"/>.</summary>
    public IEnumerable<EncodedResource> All => Clusters.Concat(Endpoints).Concat(Listeners).Concat(RouteTables).Concat(Secrets);

    /// <summary>The resources of one type; none for a type that plans do not have.</summary>
    public ImmutableArray<EncodedResource> Of(string typeUrl) => typeUrl switch
    {
        TypeUrls.Cluster => Clusters,
        TypeUrls.Endpoints => Endpoints,
        TypeUrls.Listener => Listeners,
        TypeUrls.RouteTable => RouteTables,
        TypeUrls.Secret => Secrets,
        _ => [],
    };
}
