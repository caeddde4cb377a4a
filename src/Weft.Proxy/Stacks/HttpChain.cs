// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Filters;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Stacks;

/// <summary>
/// A chain that carries HTTP, as its connections see it: made once for a plan. Which routes it has is asked of the plan in force, per
/// request.
/// </summary>
internal sealed class HttpChain
{
    private const int BytesPerKilobyte = 1024;

    internal HttpChain(HttpChainPlan plan)
    {
        Plan = plan;
        Stages = FilterOrder.For(plan.Direction);
        PathRules = PathForm.RulesOf(plan.Path);
        Rules = new Http1Rules
        {
            CutFragment = true,
            MaxHeadBytes = plan.Limits.MaxHeadKilobytes * BytesPerKilobyte,
            MaxFields = plan.Limits.MaxFields,
        };
    }

    internal HttpChainPlan Plan { get; }

    internal Stage[] Stages { get; }

    internal TrafficDirection Direction => Plan.Direction;

    /// <summary>What is read as a request. A fragment is cut off, as Istio's proxies do; it was never meant for a server.</summary>
    internal Http1Rules Rules { get; }

    internal PathRules PathRules { get; }
}
