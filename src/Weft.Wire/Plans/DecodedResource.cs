// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>
/// One decoded resource. <paramref name="Part"/> is a ListenerPlan, RouteTablePlan, ClusterPlan or EndpointsPlan; null exactly if there
/// are errors.
/// </summary>
public sealed record DecodedResource(object? Part, ImmutableArray<WireProblem> Errors, ImmutableArray<WireProblem> Warnings);

/// <summary>A decoded plan; null exactly if there are errors.</summary>
public sealed record DecodedPlan(ProxyPlan? Plan, ImmutableArray<WireProblem> Errors, ImmutableArray<WireProblem> Warnings);
