// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Selectors;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Security;

/// <summary>Fills the cluster roles that collect the rules of others by label.</summary>
internal sealed class RoleAggregator(ObjectStore store)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            using var watch = store.TryWatch(RightsBook.ClusterRoles, store.Version);
            if (watch is null)
            {
                return;
            }

            Sweep();
            while (await watch.WaitAsync(cancellationToken))
            {
                while (watch.TryRead(out _))
                {
                    // However many changes: one sweep sees them all.
                }

                Sweep();
            }
        }
    }

    /// <summary>Repeats until nothing moves, since a collecting role may itself be collected.</summary>
    public void Sweep()
    {
        var moved = true;
        for (var round = 0; moved && round < ApiLimits.AggregationRounds; round++)
        {
            moved = false;
            var roles = store.Snapshot(RightsBook.ClusterRoles).Objects.Values.Select(item => (Item: item, Tree: item.Parse())).ToList();
            foreach (var (item, tree) in roles)
            {
                if (tree.At("aggregationRule", "clusterRoleSelectors") is not JsonArray selectors || item.Deleting)
                {
                    continue;
                }

                var rules = Collect(item, selectors, roles);
                if (!JsonNode.DeepEquals(tree["rules"] ?? new JsonArray(), rules))
                {
                    tree["rules"] = rules;
                    store.TryReplace(RightsBook.ClusterRoles, tree, item.Version);
                    moved = true;
                }
            }
        }
    }

    private static JsonArray Collect(StoredObject collector, JsonArray selectors, List<(StoredObject Item, JsonObject Tree)> roles)
    {
        var rules = new List<JsonNode>();
        foreach (var selector in selectors)
        {
            var text = HumanText.Selector(selector);
            var wanted = text is HumanText.None ? LabelSelector.Parse("") : LabelSelector.Parse(text);
            foreach (var (item, tree) in roles)
            {
                if (item.Key != collector.Key && wanted.Matches(item.Labels))
                {
                    rules.AddRange(tree["rules"].Items().Where(rule => !rules.Exists(known => JsonNode.DeepEquals(known, rule))));
                }
            }
        }

        return new JsonArray([.. rules.Select(rule => rule.DeepClone())]);
    }
}
