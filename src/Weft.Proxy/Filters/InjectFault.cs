// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Delays or refuses a share of the requests, as the route asks: first the delay, then the abort.</summary>
internal sealed class InjectFault : Stage
{
    private const int Million = 1_000_000;

    internal override StageResult Apply(Exchange exchange)
    {
        if (exchange.Route?.Plan.Fault is not { } fault)
        {
            return StageResult.Continue;
        }

        if (fault.DelayMs > 0 && !exchange.DelayInjected && exchange.Loop.Random.Next(Million) < fault.DelayPpm)
        {
            exchange.DelayInjected = true;
            if (fault.AbortPpm == 0)
            {
                return exchange.Pause(fault.DelayMs);
            }

            // The stage runs again after the wait, for its second half.
            exchange.RepeatStage();
            return exchange.Pause(fault.DelayMs);
        }

        if ((fault.AbortStatus > 0 || fault.AbortGrpcStatus > 0) && exchange.Loop.Random.Next(Million) < fault.AbortPpm)
        {
            exchange.AnswerFailure(new Failure(FailureKind.FaultAbort));
            return StageResult.Done;
        }

        return StageResult.Continue;
    }
}
