// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Network;

namespace Weft.Local.Controllers.Nodes;

/// <summary>Gives a machine that joined the addresses of its pods. The last ranges go first: the first ones are those of <c>weft up --nodes</c>.</summary>
internal sealed class NodeRanges(Mirror nodes, EventLog events)
{
    private static readonly TimeSpan _again = TimeSpan.FromSeconds(10);

    public static bool IsWithout(Change change) => change.Type != ChangeType.Deleted && change.Object.Text("spec", "podCIDR") is null;

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (nodes.Find(key) is not { } node || node.Text("spec", "podCIDR") is not null)
        {
            return null;
        }

        if (Free(nodes.All) is not { } place)
        {
            await events.TellAsync(node, "Warning", "CIDRNotAvailable", $"Node {node.Name()} gets no pod addresses: there are {NodePlace.MaxNodes} nodes already", ct);
            return _again;
        }

        await nodes.PatchAsync(node, new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = node.ResourceVersion() },
            ["spec"] = new JsonObject { ["podCIDR"] = place.PodRange, ["podCIDRs"] = new JsonArray([.. place.PodRanges.Select(range => (JsonNode)range)]) },
        }, ct);
        return null;
    }

    /// <summary>Pure; one turn runs at a time, and a mirror shows at once what was written through it. A machine that joins has the families of the others.</summary>
    internal static NodePlace? Free(IEnumerable<JsonObject> nodes)
    {
        var all = nodes.ToList();
        var taken = all.Select(node => node.Text("spec", "podCIDR")).ToHashSet(StringComparer.Ordinal);
        var hasVersion6 = all.Exists(node => node.Texts("spec", "podCIDRs").Any(IpWords.IsSix));
        return Enumerable.Range(0, NodePlace.MaxNodes).Reverse()
            .Select(number => new NodePlace("", number) { HasVersion6 = hasVersion6 }).FirstOrDefault(place => !taken.Contains(place.PodRange));
    }
}
