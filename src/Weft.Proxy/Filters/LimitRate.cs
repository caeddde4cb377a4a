// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Answers requests that are more than a limit of this proxy allows.</summary>
internal sealed class LimitRate : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        if (exchange.Route!.Actions.RateLimit is not { } limit || limit.Admits(exchange))
        {
            return StageResult.Continue;
        }

        exchange.AnswerFailure(new Failure(FailureKind.RateLimited, BetterStatus: limit.Plan.Status, IsExhausted: limit.Plan.AsResourceExhausted));
        return StageResult.Done;
    }
}
