// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers.Scheduling;

namespace Weft.Local.Controllers.Nodes;

/// <summary>
/// Watches over nodes: one whose heartbeat stops is marked unreachable, a cordon becomes a taint, and pods that do not bear a
/// NoExecute taint are removed when their time is over.
/// </summary>
internal sealed class NodeLifecycle(Mirror nodes, Informer leases, Mirror pods, EventLog events, TimeProvider clock)
{
    /// <summary>The namespace of the nodes' leases.</summary>
    public const string LeaseNamespace = "kube-node-lease";

    /// <summary>How long a node may be silent whose lease does not say.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(40);

    private static readonly TimeSpan _sleep = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, (string Renewed, DateTimeOffset At)> _heard = new(StringComparer.Ordinal);

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (nodes.Find(key) is not { } node)
        {
            return null;
        }

        var now = clock.GetUtcNow();
        var lease = leases.Find(LeaseNamespace, node.Name());
        var grace = lease?.Number("spec", "leaseDurationSeconds") is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : Grace;
        var heard = HeardOf(lease, node.Name(), grace, now);
        var silent = now - heard > grace;
        if (silent && Conditions.Find(node, "Ready") is { } ready && ready.Text("status") != "Unknown")
        {
            var unknown = Conditions.Next(
                ready, ("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."), now, hasUpdateTime: false);
            node = await nodes.PatchStatusAsync(node, new JsonObject { ["conditions"] = Conditions.With(node, unknown) }, ct);
            await events.TellAsync(node, "Normal", "NodeNotReady", $"Node {node.Name()} status is now: NodeNotReady", ct);
        }

        if (Conditions.Find(node, "Ready")?.Text("status") == "Unknown")
        {
            await TellPodsAsync(node.Name(), now, ct);
        }

        node = await TaintAsync(node, now, ct);
        var evict = await EvictAsync(node, now, ct);
        var listen = heard is { } at && !silent ? at + grace - now + TimeSpan.FromSeconds(1) : (TimeSpan?)null;
        return evict is null ? listen : listen is null || evict < listen ? evict : listen;
    }

    /// <summary>The taints that a node's state asks for, beside those that people gave it. Pure.</summary>
    internal static JsonArray TaintsOf(JsonObject node, DateTimeOffset now)
    {
        var ready = Conditions.Find(node, "Ready")?.Text("status");
        var wanted = new List<(string Key, string Effect)>();
        if (node.Flag("spec", "unschedulable") == true)
        {
            wanted.Add((Taints.Unschedulable, "NoSchedule"));
        }

        if (ready is "False" or "Unknown")
        {
            var name = ready == "False" ? Taints.NotReady : Taints.Unreachable;
            wanted.Add((name, "NoSchedule"));
            wanted.Add((name, "NoExecute"));
        }

        var taints = new JsonArray();
        foreach (var present in node.Objects("spec", "taints"))
        {
            var one = (present.Text("key") ?? "", present.Text("effect") ?? "");
            var ours = one.Item1 is Taints.Unschedulable or Taints.NotReady or Taints.Unreachable;
            if (!ours || wanted.Remove(one))
            {
                taints.Add(present.DeepClone());
            }
        }

        foreach (var (name, effect) in wanted)
        {
            taints.Add((JsonNode)new JsonObject { ["key"] = name, ["effect"] = effect, ["timeAdded"] = Conditions.Time(now) });
        }

        return taints;
    }

    /// <summary>Nobody can say any more that its pods are ready: no endpoint leads there.</summary>
    private async Task TellPodsAsync(string node, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var pod in pods.All.Where(p => p.Text("spec", "nodeName") == node && Conditions.Find(p, "Ready")?.Text("status") == "True"))
        {
            var unready = Conditions.Next(Conditions.Find(pod, "Ready"), "Ready", false, "NodeNotReady", "", now, hasUpdateTime: false);
            try
            {
                await pods.PatchStatusAsync(pod, new JsonObject { ["conditions"] = Conditions.With(pod, unready) }, ct);
            }
            catch (KubernetesException gone) when (gone.IsNotFound)
            {
                // Deleted by force meanwhile.
            }
        }
    }

    /// <summary>When the node's lease was last seen to change, by this clock; null for a node without one.</summary>
    private DateTimeOffset? HeardOf(JsonObject? lease, string node, TimeSpan grace, DateTimeOffset now)
    {
        if (lease?.Text("spec", "renewTime") is not { } renewed)
        {
            return null;
        }

        // A machine that slept finds all leases old at once: nobody was silent, nobody was awake.
        if (!_heard.TryGetValue(node, out var heard) || heard.Renewed != renewed || now - heard.At > grace + _sleep)
        {
            _heard[node] = heard = (renewed, now);
        }

        return heard.At;
    }

    private async Task<JsonObject> TaintAsync(JsonObject node, DateTimeOffset now, CancellationToken ct)
    {
        var taints = TaintsOf(node, now);
        if (SafeNames.Canonical(taints) == SafeNames.Canonical(node.Find("spec", "taints") ?? new JsonArray()))
        {
            return node;
        }

        return await nodes.PatchAsync(node, new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = node.ResourceVersion() },
            ["spec"] = new JsonObject { ["taints"] = taints.Count > 0 ? taints : null },
        }, ct);
    }

    private async Task<TimeSpan?> EvictAsync(JsonObject node, DateTimeOffset now, CancellationToken ct)
    {
        var since = Taints.Of(node, "NoExecute").Select(taint => Conditions.At(taint, "timeAdded") ?? now).DefaultIfEmpty(now).Min();
        TimeSpan? next = null;
        foreach (var pod in pods.All.Where(pod => pod.Text("spec", "nodeName") == node.Name() && PodState.IsActive(pod)))
        {
            if (Taints.MayStay(pod.Find("spec") as JsonObject ?? [], node) is not { } span)
            {
                continue;
            }

            var left = since + span - now;
            if (left > TimeSpan.Zero)
            {
                next = next is null || left < next ? left : next;
                continue;
            }

            await events.TellAsync(pod, "Normal", "TaintManagerEviction", $"Marking for deletion Pod {pod.Namespace()}/{pod.Name()}", ct);
            await pods.DeleteAsync(pod, ct);
        }

        return next;
    }
}
