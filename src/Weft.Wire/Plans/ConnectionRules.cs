// SPDX-License-Identifier: Apache-2.0

using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Weft.Model.Plan;
using SlashAction = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.PathWithEscapedSlashesAction;

namespace Weft.Wire.Plans;

/// <summary>What a chain demands of its clients and does to their requests before any route: plan ⇄ HttpConnectionManager.</summary>
internal static class ConnectionRules
{
    /// <summary>What xDS calls CONNECT requests among upgrades.</summary>
    public const string Connect = "CONNECT";

    private const string WebSocket = "websocket";

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
        if (plan.AllowConnect)
        {
            http.UpgradeConfigs.Add(new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = Connect });
        }
    }

    public static HttpChainPlan Decode(DecodeScope scope, HttpConnectionManager http, HttpChainPlan plan) => plan with
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
        AllowConnect = AllowsConnect(scope, http),
    };

    private static bool AllowsConnect(DecodeScope scope, HttpConnectionManager http)
    {
        var allows = false;
        foreach (var upgrade in http.UpgradeConfigs)
        {
            if (upgrade.UpgradeType.Equals(Connect, StringComparison.OrdinalIgnoreCase))
            {
                allows = upgrade.Enabled ?? true;
            }
            else if (!upgrade.UpgradeType.Equals(WebSocket, StringComparison.OrdinalIgnoreCase))
            {
                scope.Warn($"upgrade_configs: {upgrade.UpgradeType} is not supported and has no effect");
            }
        }

        return allows;
    }
}
