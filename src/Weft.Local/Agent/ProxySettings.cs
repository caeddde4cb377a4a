// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>What a pod says of its own proxy, in the environment of the proxy's container as Istio's injector writes it.</summary>
/// <param name="Loops">Threads of the proxy.</param>
/// <param name="DrainSeconds">The most that open connections get at the pod's end; null for the proxy's default.</param>
/// <param name="ListenerDrainSeconds">The time of connections whose listener is gone; null for the proxy's default.</param>
/// <param name="MinimumDrainSeconds">How long it waits at least at the pod's end.</param>
/// <param name="CapturesDns">Names of ServiceEntries are answered.</param>
internal sealed partial record ProxySettings(int Loops, int? DrainSeconds, int? ListenerDrainSeconds, int MinimumDrainSeconds, bool CapturesDns)
{
    private const string Container = "weft-proxy";
    private const int MaxLoops = 256;
    private const int MaxSeconds = 24 * 3600;

    public static ProxySettings Of(JsonObject pod)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var container in pod.Objects("spec", "containers").Concat(pod.Objects("spec", "initContainers")).Where(c => c.Text("name") == Container))
        {
            foreach (var variable in container.Objects("env"))
            {
                variables[variable.Text("name") ?? ""] = variable.Text("value") ?? "";
            }
        }

        var config = Read(variables.GetValueOrDefault("PROXY_CONFIG"));
        return new ProxySettings(
            LoopsOf(config?["concurrency"]),
            Seconds(config?.Text("terminationDrainDuration")),
            Seconds(config?.Text("drainDuration")),
            Seconds(variables.GetValueOrDefault("MINIMUM_DRAIN_DURATION")) ?? 0,
            variables.GetValueOrDefault("ISTIO_META_DNS_CAPTURE") == "true");
    }

    /// <summary>0 is one for each processor, as in Istio; where nothing is said one is enough for a local pod.</summary>
    private static int LoopsOf(JsonNode? concurrency) =>
        !int.TryParse(concurrency?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? 1
        : number == 0 ? Math.Min(Environment.ProcessorCount, MaxLoops)
        : Math.Min(number, MaxLoops);

    /// <summary>Whole seconds, rounded up; null for what is no duration.</summary>
    private static int? Seconds(string? text)
    {
        if (text is null || !Duration().IsMatch(text))
        {
            return null;
        }

        double seconds = 0;
        foreach (Match part in Part().Matches(text))
        {
            var unit = part.Groups[2].Value switch { "h" => 3600d, "m" => 60d, "s" => 1d, _ => 0.001 };
            seconds += double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture) * unit;
        }

        return (int)Math.Min(Math.Ceiling(seconds), MaxSeconds);
    }

    private static JsonObject? Read(string? text)
    {
        try
        {
            return text is { Length: > 0 } ? JsonNode.Parse(text) as JsonObject : null;
        }
        catch (JsonException)
        {
            // Somebody has written the variable by hand: the proxy runs with its defaults rather than not at all.
            return null;
        }
    }

    [GeneratedRegex(@"^(\d{1,9}(\.\d{1,9})?(ms|h|m|s))+$")]
    private static partial Regex Duration();

    [GeneratedRegex(@"(\d+(?:\.\d+)?)(ms|h|m|s)")]
    private static partial Regex Part();
}
