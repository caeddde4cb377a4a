// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Nodes;

/// <summary>Removes pods that nobody else will: those bound to a node that is gone, and the oldest of too many that have ended.</summary>
internal sealed class PodCollector(KubernetesClient client, Informer pods, Informer nodes, TimeProvider clock)
{
    /// <summary>Ended pods that are kept for people to look at.</summary>
    public const int MaxEnded = 12_500;

    /// <summary>A node that is gone may come back: a restart makes it anew.</summary>
    public static readonly TimeSpan Quarantine = TimeSpan.FromSeconds(40);

    private static readonly TimeSpan _period = TimeSpan.FromSeconds(20);
    private readonly Dictionary<string, DateTimeOffset> _missing = new(StringComparer.Ordinal);

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var known = nodes.Items.Select(node => node.Name()).ToHashSet(StringComparer.Ordinal);
        foreach (var back in _missing.Keys.Where(known.Contains).ToList())
        {
            _missing.Remove(back);
        }

        foreach (var pod in pods.Items.Where(pod => PodState.IsScheduled(pod) && !known.Contains(pod.Text("spec", "nodeName")!)).ToList())
        {
            var node = pod.Text("spec", "nodeName")!;
            if (!_missing.TryAdd(node, now) && now - _missing[node] >= Quarantine)
            {
                await RemoveAsync(pod, ct);
            }
        }

        var ended = pods.Items.Where(PodState.HasEnded).OrderBy(pod => pod.CreatedAt()).ToList();
        foreach (var pod in ended.Take(Math.Max(0, ended.Count - MaxEnded)))
        {
            await RemoveAsync(pod, ct);
        }

        return _period;
    }

    private async Task RemoveAsync(JsonObject pod, CancellationToken ct)
    {
        try
        {
            await client.DeleteNowAsync(Kinds.Pod, pod.Namespace(), pod.Name(), pod.Uid(), ct);
        }
        catch (KubernetesException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // Somebody was faster.
        }
    }
}
