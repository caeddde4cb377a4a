// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>The last stage: the request goes to an endpoint of its cluster.</summary>
internal sealed class Forward : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        if (exchange.Cluster is null)
        {
            exchange.AnswerFailure(new Failure(FailureKind.NoCluster));
            return StageResult.Done;
        }

        exchange.StartTry();
        return StageResult.Done;
    }
}
