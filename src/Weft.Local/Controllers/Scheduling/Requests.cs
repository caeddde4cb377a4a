// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scheduling;

/// <summary>What pods ask for and what nodes have. Pure.</summary>
internal static class Requests
{
    /// <summary>
    /// Of a pod: its containers and sidecars together, or the greediest moment of its start if that is more; and its overhead.
    /// </summary>
    public static Dictionary<string, decimal> Of(JsonObject podSpec)
    {
        var running = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var container in podSpec.Objects("containers"))
        {
            Add(running, Amounts(container));
        }

        var sidecars = new Dictionary<string, decimal>(StringComparer.Ordinal);
        var starting = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var container in podSpec.Objects("initContainers"))
        {
            var amounts = Amounts(container);
            if (container.Text("restartPolicy") == "Always")
            {
                Add(sidecars, amounts);
                Most(starting, sidecars);
            }
            else
            {
                Add(amounts, sidecars);
                Most(starting, amounts);
            }
        }

        Add(running, sidecars);
        Most(running, starting);
        Add(running, Parse(podSpec.Find("overhead")));
        return running;
    }

    public static Dictionary<string, decimal> Parse(JsonNode? amounts)
    {
        var parsed = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var (name, value) in amounts as JsonObject ?? [])
        {
            parsed[name] = Quantity.Parse(value) ?? 0;
        }

        return parsed;
    }

    /// <summary>What a node's pods ask for together.</summary>
    public static Dictionary<string, decimal> Sum(IEnumerable<JsonObject> pods)
    {
        var sum = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            if (pod.Find("spec") is JsonObject spec)
            {
                Add(sum, Of(spec));
            }
        }

        return sum;
    }

    private static Dictionary<string, decimal> Amounts(JsonObject container)
    {
        // Who names only a limit asks for as much.
        var amounts = Parse(container.Find("resources", "limits"));
        foreach (var (name, amount) in Parse(container.Find("resources", "requests")))
        {
            amounts[name] = amount;
        }

        return amounts;
    }

    private static void Add(Dictionary<string, decimal> sum, Dictionary<string, decimal> amounts)
    {
        foreach (var (name, amount) in amounts)
        {
            sum[name] = sum.GetValueOrDefault(name) + amount;
        }
    }

    private static void Most(Dictionary<string, decimal> most, Dictionary<string, decimal> amounts)
    {
        foreach (var (name, amount) in amounts)
        {
            most[name] = Math.Max(most.GetValueOrDefault(name), amount);
        }
    }
}
