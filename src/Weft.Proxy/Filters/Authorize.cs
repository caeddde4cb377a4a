// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Authorization;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Answers 403 to requests that the chain's policies, as the plan in force has them, do not let pass.</summary>
internal sealed class Authorize : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        var client = exchange.Client;
        if (client.AuthorizerIn(exchange.Plan) is not { } authorizer)
        {
            return StageResult.Continue;
        }

        var refusal = authorizer.Judge(new AccessFacts
        {
            Peer = client.Caller,
            Source = client.SocketPeer,
            Client = client.PeerAddress,
            Destination = client.Destination,
            ServerName = client.ServerName,
            Request = exchange.Request,
            Bytes = exchange.RequestBytes,
            Trust = exchange.Service.Plan.Trust,
        });
        if (refusal is null)
        {
            return StageResult.Continue;
        }

        // Only so that metrics and the log say whose the request was.
        MatchRoute.Find(exchange);
        exchange.AnswerFailure(new Failure(FailureKind.Denied, refusal));
        return StageResult.Done;
    }
}
