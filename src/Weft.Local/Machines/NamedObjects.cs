// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Agent;

namespace Weft.Local.Machines;

/// <summary>
/// Looks after the ConfigMaps and Secrets that pods of a machine that joined name. It may get these and no others, so it cannot watch them all:
/// it asks for each now and then, as a kubelet did before it could watch.
/// </summary>
internal sealed partial class NamedObjects(KubernetesClient client, NodeAgent agent, LocalNodeOptions options)
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(10);
    private static readonly string[] _secrets = ["secret", "secretRef", "secretKeyRef"];
    private static readonly string[] _configMaps = ["configMap", "configMapRef", "configMapKeyRef"];

    private readonly Dictionary<(ResourceKind Kind, string Namespace, string Name), string> _seen = [];

    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            var named = agent.Pods.SelectMany(pod => Of(pod.Spec.Source)).ToHashSet();
            foreach (var gone in _seen.Keys.Where(key => !named.Contains(key)).ToList())
            {
                _seen.Remove(gone);
            }

            foreach (var key in named)
            {
                await LookAsync(key, ct);
            }

            await Task.Delay(_every, options.Time, ct);
        }
    }

    /// <summary>What a pod names. Pure.</summary>
    internal static IEnumerable<(ResourceKind Kind, string Namespace, string Name)> Of(JsonObject pod) =>
        Names(pod["spec"], _secrets).Select(name => (Kinds.Secret, pod.Namespace(), name))
            .Concat(Names(pod["spec"], _configMaps).Select(name => (Kinds.ConfigMap, pod.Namespace(), name)));

    private static IEnumerable<string> Names(JsonNode? node, string[] holders) => node switch
    {
        JsonArray list => list.SelectMany(item => Names(item, holders)),
        JsonObject tree => tree.SelectMany(field => field.Value is JsonObject reference && holders.Contains(field.Key, StringComparer.Ordinal)
            && (reference.Text("secretName") ?? reference.Text("name")) is { Length: > 0 } name ? [name] : Names(field.Value, holders)),
        _ => [],
    };

    private async Task LookAsync((ResourceKind Kind, string Namespace, string Name) key, CancellationToken ct)
    {
        try
        {
            var found = await client.GetAsync(key.Kind, key.Namespace, key.Name, ct);
            if (_seen.TryGetValue(key, out var version) && version != found.ResourceVersion())
            {
                agent.Refresh(key.Kind, new Change(ChangeType.Modified, found, null));
            }

            _seen[key] = found.ResourceVersion();
        }
        catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
        {
            LogAway(options.Log, key.Kind.Kind, key.Namespace, key.Name, e.Message);
        }
    }

    [LoggerMessage(5610, LogLevel.Debug, "{Kind} {Namespace}/{Name} could not be looked at: {Reason}")]
    private static partial void LogAway(ILogger log, string kind, string @namespace, string name, string reason);
}
