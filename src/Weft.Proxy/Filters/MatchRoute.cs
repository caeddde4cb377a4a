// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Routing;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Finds the route, and among its destinations the one by weight.</summary>
internal sealed class MatchRoute : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        if (Find(exchange))
        {
            return StageResult.Continue;
        }

        exchange.AnswerFailure(new Failure(FailureKind.NoRoute));
        return StageResult.Done;
    }

    /// <summary>False if there is none.</summary>
    internal static bool Find(Exchange exchange)
    {
        // A sidecar's own side of the mesh is plain HTTP whatever carries it between proxies.
        var request = new RouteRequest(exchange.Request, exchange.RequestBytes, "http"u8);
        if (exchange.Client.TableIn(exchange.Plan)?.Match(request) is not { } route)
        {
            return false;
        }

        exchange.Route = route;
        exchange.Target = route.Actions.Choose(exchange.Loop.Random);
        return true;
    }
}
