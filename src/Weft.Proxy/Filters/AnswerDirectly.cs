// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Redirects and fixed responses.</summary>
internal sealed class AnswerDirectly : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        var route = exchange.Route!;
        if (route.Plan.Direct is { } direct)
        {
            exchange.Answer(direct.Status, [], "text/plain"u8, route.Actions.DirectBody);
            return StageResult.Done;
        }

        if (route.Plan.Redirect is { } redirect)
        {
            var location = RedirectTarget.LocationLine(redirect, route.Plan.Match, exchange);
            exchange.Answer(redirect.Code, location, [], []);
            return StageResult.Done;
        }

        return StageResult.Continue;
    }
}
