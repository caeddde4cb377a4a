// SPDX-License-Identifier: Apache-2.0

using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Weft.Model.Plan;
using SlashAction = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.PathWithEscapedSlashesAction;

namespace Weft.Wire.Plans;

/// <summary>What a chain demands of its clients and does to their requests before any route: plan ⇄ HttpConnectionManager.</summary>
internal static class ConnectionRules
{
    public static void Encode(HttpChainPlan plan, HttpConnectionManager http)
    {
        http.NormalizePath = plan.Path.Normalize;
        http.MergeSlashes = plan.Path.MergeSlashes;
        http.PathWithEscapedSlashesAction = plan.Path.EscapedSlashes switch
        {
            EscapedSlashes.Refuse => SlashAction.RejectRequest,
            EscapedSlashes.Redirect => SlashAction.UnescapeAndRedirect,
            EscapedSlashes.Decode => SlashAction.UnescapeAndForward,
            _ => SlashAction.KeepUnchanged,
        };
    }

    public static HttpChainPlan Decode(HttpConnectionManager http, HttpChainPlan plan) => plan with
    {
        // A server that says nothing gets the safe form, as istiod always asks for it.
        Path = new PathPlan(
            http.NormalizePath ?? true,
            http.MergeSlashes,
            http.PathWithEscapedSlashesAction switch
            {
                SlashAction.RejectRequest => EscapedSlashes.Refuse,
                SlashAction.UnescapeAndRedirect => EscapedSlashes.Redirect,
                SlashAction.UnescapeAndForward => EscapedSlashes.Decode,
                _ => EscapedSlashes.Keep,
            }),
    };
}
