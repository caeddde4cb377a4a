// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Dialects.Istio;

/// <summary>Which ProxyConfig objects hold for a pod, as the settings that they are.</summary>
public static class ProxyConfigLayers
{
    /// <summary>The settings of a pod's objects, the strongest last: the root namespace's, the pod's namespace's, the one that selects it.</summary>
    /// <param name="objects">Every ProxyConfig of the root namespace and of the pod's. Of several of one rank the oldest counts.</param>
    /// <param name="root">The root namespace.</param>
    /// <param name="ns">The pod's.</param>
    /// <param name="labels">The pod's.</param>
    public static IReadOnlyList<JsonObject> Of(IEnumerable<JsonObject> objects, string root, string ns, IReadOnlyDictionary<string, string> labels) =>
    [
        .. objects.Select(item => (Rank: Rank(item, root, ns, labels), Item: item)).Where(each => each.Rank >= 0)
            .GroupBy(each => each.Rank).OrderBy(group => group.Key)
            .Select(group => group.OrderBy(each => Created(each.Item)).ThenBy(each => Text(each.Item["metadata"]?["name"]), StringComparer.Ordinal).First().Item)
            .Select(Settings),
    ];

    /// <summary>The strength of an object; negative if it is not for the pod.</summary>
    private static int Rank(JsonObject item, string root, string ns, IReadOnlyDictionary<string, string> labels)
    {
        var own = Text(item["metadata"]?["namespace"]);
        if (item["spec"]?["selector"]?["matchLabels"] is not JsonObject { Count: > 0 } wanted)
        {
            return own == ns && ns != root ? 1 : own == root ? 0 : -1;
        }

        return own == ns && wanted.All(pair => labels.TryGetValue(pair.Key, out var value) && value == Text(pair.Value)) ? 2 : -1;
    }

    /// <summary>An object in the words of the mesh's configuration.</summary>
    private static JsonObject Settings(JsonObject item)
    {
        var settings = new JsonObject();
        if (item["spec"]?["concurrency"] is { } concurrency)
        {
            settings["concurrency"] = concurrency.DeepClone();
        }

        if (item["spec"]?["environmentVariables"] is JsonObject { Count: > 0 } variables)
        {
            settings[ProxyConfigs.Metadata] = variables.DeepClone();
        }

        if (item["spec"]?["image"] is { } image)
        {
            settings["image"] = image.DeepClone();
        }

        return settings;
    }

    private static DateTimeOffset Created(JsonObject item) =>
        DateTimeOffset.TryParse(Text(item["metadata"]?["creationTimestamp"]), System.Globalization.CultureInfo.InvariantCulture, out var at) ? at : default;

    private static string Text(JsonNode? node) => node is JsonValue value ? value.ToString() : "";
}
