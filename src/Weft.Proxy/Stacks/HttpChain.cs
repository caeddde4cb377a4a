// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Stacks;

/// <summary>A chain that carries HTTP, as its connections see it. Which routes it has is asked of the plan in force, per request.</summary>
internal sealed record HttpChain(HttpChainPlan Plan, Stage[] Stages)
{
    internal TrafficDirection Direction => Plan.Direction;
}
