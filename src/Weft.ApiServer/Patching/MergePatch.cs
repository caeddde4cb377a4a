// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.ApiServer.Patching;

/// <summary>JSON merge patch (RFC 7386).</summary>
public static class MergePatch
{
    /// <summary>Returns the patched tree; neither argument is changed.</summary>
    public static JsonNode? Apply(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
        {
            return patch?.DeepClone();
        }

        var result = target is JsonObject tree ? (JsonObject)tree.DeepClone() : [];
        foreach (var (name, change) in changes)
        {
            if (change is null)
            {
                result.Remove(name);
                continue;
            }

            result[name] = Apply(result[name], change);
        }

        return result;
    }
}
