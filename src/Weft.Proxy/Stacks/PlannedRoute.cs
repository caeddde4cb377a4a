// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Stacks;

/// <summary>A route of a plan, with what it does made ready.</summary>
internal sealed record PlannedRoute(RoutePlan Plan, RouteActions Actions);
