// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Limits;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Asks the rate-limit services of the chain, one after the other, and answers what is too much. May wait.</summary>
internal sealed class AskRateLimit : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        var limits = exchange.Service.GlobalLimits;
        while (exchange.QuestionsAsked < limits.Length)
        {
            var limit = limits[exchange.QuestionsAsked];
            var verdict = exchange.Question is { } question ? limit.Judge(question, exchange) : limit.Ask(exchange);
            switch (verdict)
            {
                case LimitVerdict.Waits:
                    return StageResult.Wait;
                case LimitVerdict.TooMuch:
                    exchange.AnswerFailure(new Failure(FailureKind.TooMuchForAll, BetterStatus: limit.Plan.Status, IsExhausted: limit.Plan.AsResourceExhausted));
                    return StageResult.Done;
                case LimitVerdict.Unknown when limit.Plan.DeniesOnFailure:
                    exchange.AnswerFailure(new Failure(FailureKind.AskingFailed, BetterStatus: limit.Plan.FailureStatus));
                    return StageResult.Done;
            }

            exchange.CloseQuestion();
            exchange.QuestionsAsked++;
        }

        return StageResult.Continue;
    }
}
