// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Routing;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Finds the route, and among its destinations the one by weight.</summary>
internal sealed class MatchRoute : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        // A sidecar's own side of the mesh is plain HTTP whatever carries it between proxies.
        var request = new RouteRequest(exchange.Request, exchange.RequestBytes, "http"u8);
        var route = exchange.Client.TableIn(exchange.Plan)?.Match(request);
        if (route is null)
        {
            exchange.AnswerFailure(new Failure(FailureKind.NoRoute));
            return StageResult.Done;
        }

        exchange.Route = route;
        exchange.Target = route.Actions.Choose(exchange.Loop.Random);
        return StageResult.Continue;
    }
}
