// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;
using Weft.Kubernetes;

namespace Weft.ApiServer.Admission;

/// <summary>Gives containers the requests and limits that their namespace's limit ranges say, and refuses what is out of range.</summary>
internal sealed class LimitRanges(ObjectStore store)
{
    private const string Resource = "limitranges";

    /// <summary>True when something was filled in.</summary>
    public bool Apply(ApiRequest request, JsonObject pod)
    {
        if (request.Resource.GroupResource is not "pods")
        {
            return false;
        }

        var items = store.Snapshot(Resource).Objects.Values.Where(item => item.Key.Namespace == request.Namespace)
            .SelectMany(item => item.Parse().At("spec", "limits").Items()).ToList();
        var containers = pod.At("spec", "containers").Items().Concat(pod.At("spec", "initContainers").Items()).ToList();
        var filled = false;
        foreach (var item in items.Where(item => item.Text("type") is "Container"))
        {
            foreach (var container in containers)
            {
                filled |= Fill(container, "limits", item["default"]) | Fill(container, "requests", item["defaultRequest"]);
            }
        }

        var problems = items.SelectMany(item => Problems(item, pod, containers)).ToList();
        if (problems.Count > 0)
        {
            throw ApiException.Forbidden(
                request.Resource,
                pod.At("metadata", "name").Text() ?? "",
                problems.Count == 1 ? problems[0] : "[" + string.Join(", ", problems) + "]");
        }

        return filled;
    }

    private static bool Fill(JsonObject container, string field, JsonNode? defaults)
    {
        var filled = false;
        foreach (var (name, value) in defaults as JsonObject ?? [])
        {
            var target = container.Child("resources").Child(field);
            if (target[name] is null)
            {
                target[name] = value?.DeepClone();
                filled = true;
            }
        }

        return filled;
    }

    private static IEnumerable<string> Problems(JsonObject item, JsonObject pod, List<JsonObject> containers)
    {
        var type = item.Text("type") ?? "";
        if (type is not ("Container" or "Pod"))
        {
            yield break;
        }

        foreach (var (bound, field, word) in new[] { ("min", "requests", "minimum"), ("max", "limits", "maximum") })
        {
            foreach (var (name, value) in item[bound] as JsonObject ?? [])
            {
                var amounts = type is "Container"
                    ? containers.Select(container => Quantity.Parse(container.At("resources", field, name)))
                    : new[] { pod.At("spec", "containers").Items().Sum(container => Quantity.Parse(container.At("resources", field, name))) };
                foreach (var amount in amounts)
                {
                    if (Problem(amount, Quantity.Parse(value) ?? 0, bound, field[..^1]) is { } why)
                    {
                        yield return $"{word} {name} usage per {type} is {value.Text()}{why}";
                    }
                }
            }
        }
    }

    private static string? Problem(decimal? amount, decimal bound, string kind, string field)
    {
        if (amount is not { } given)
        {
            return $".  No {field} is specified";
        }

        var outside = kind is "min" ? given < bound : given > bound;
        return outside ? $", but {field} is {Quantity.Format(given)}" : null;
    }
}
