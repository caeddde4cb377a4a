// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Validation;

/// <summary>Containers that are added to a running pod: they may be added, and nothing else.</summary>
internal static class DebugContainerRules
{
    private const string Field = "spec.ephemeralContainers";

    public static IEnumerable<FieldError> Check(JsonObject pod, JsonObject? old)
    {
        var before = (old?.At("spec", "ephemeralContainers")).Items().ToList();
        var now = pod.At("spec", "ephemeralContainers").Items().ToList();
        if (before.Any(kept => !now.Exists(item => JsonNode.DeepEquals(item, kept))))
        {
            yield return FieldError.Forbidden(Field, "existing ephemeral containers may not be removed or changed");
        }

        var others = pod.At("spec", "containers").Items().Concat(pod.At("spec", "initContainers").Items()).Select(item => item.Text("name"));
        var names = new HashSet<string?>(others, StringComparer.Ordinal);
        for (var i = 0; i < now.Count; i++)
        {
            var name = now[i].Text("name");
            if (string.IsNullOrEmpty(name))
            {
                yield return FieldError.Required($"{Field}[{i}].name", "");
            }
            else if (!names.Add(name))
            {
                yield return FieldError.Duplicate($"{Field}[{i}].name", name);
            }

            if (string.IsNullOrEmpty(now[i].Text("image")))
            {
                yield return FieldError.Required($"{Field}[{i}].image", "");
            }
        }
    }
}
