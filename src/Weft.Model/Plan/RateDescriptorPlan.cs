// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>How requests are described to what counts them: the actions' entries, one after the other.</summary>
/// <param name="Stage">Only limits of the same stage see it.</param>
/// <param name="Actions">At least one; if one of them finds nothing, there is no description.</param>
public sealed record RateDescriptorPlan(int Stage, EquatableArray<RateActionPlan> Actions);

/// <summary>Makes one entry of a description.</summary>
/// <param name="Kind">From what.</param>
/// <param name="Key">Of the entry.</param>
/// <param name="Value">The header's or parameter's name, or the entry's value where that is fixed; else empty.</param>
public sealed record RateActionPlan(RateActionKind Kind, string Key, string Value)
{
    /// <summary>A header or parameter that is not there leaves the entry out, and not the whole description.</summary>
    public bool SkipsAbsent { get; init; }

    /// <summary>False makes the entry of requests that do not match.</summary>
    public bool ExpectsMatch { get; init; } = true;

    /// <summary>All of them must hold.</summary>
    public EquatableArray<NamedMatchPlan> Matches { get; init; } = [];

    /// <summary>Leading bits of a client's address that are kept, of version 4 and of version 6.</summary>
    public int V4Bits { get; init; } = 32;

    public int V6Bits { get; init; } = 128;
}

/// <summary>From what an entry is made.</summary>
public enum RateActionKind
{
    SourceCluster,
    DestinationCluster,
    RequestHeader,
    RemoteAddress,
    MaskedRemoteAddress,
    GenericKey,
    HeaderMatch,
    QueryParameter,
    QueryMatch,
}
