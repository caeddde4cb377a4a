// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Stacks;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Filters;

/// <summary>Refuses a body that says it is too long before a byte of it is taken; one that does not say is counted as it comes.</summary>
internal sealed class LimitBody : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        if (!exchange.IsBodyTooLarge)
        {
            return StageResult.Continue;
        }

        exchange.Loop.Metrics.Hit(ProxyLimit.BodyBytes);
        exchange.AnswerFailure(new Failure(FailureKind.BodyTooLarge), last: true);
        return StageResult.Done;
    }
}
