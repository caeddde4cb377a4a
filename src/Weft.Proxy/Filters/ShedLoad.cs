// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Overload;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Refuses requests that begin while the proxy is overloaded; those that were begun before go on.</summary>
internal sealed class ShedLoad : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        if (exchange.Loop.Overload < OverloadLevel.NewWork)
        {
            return StageResult.Continue;
        }

        exchange.Loop.Life.CountRefused();
        exchange.AnswerFailure(new Failure(FailureKind.Overloaded));
        return StageResult.Done;
    }
}
