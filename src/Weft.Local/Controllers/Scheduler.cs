// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Gives every waiting pod the one node there is, unless the pod asks for a node with other labels.</summary>
internal sealed class Scheduler(KubernetesClient client, Informer pods, Informer nodes, EventLog events, TimeProvider clock)
{
    private const string Component = "default-scheduler";

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (pods.Find(key.Namespace, key.Name) is not { } pod || PodState.IsScheduled(pod) || Owners.IsBeingDeleted(pod) || HasOtherScheduler(pod))
        {
            return null;
        }

        var wanted = Selector.FromMap(pod.Find("spec", "nodeSelector"));
        var node = nodes.Items.FirstOrDefault(wanted.Matches);
        if (node is null)
        {
            await RefuseAsync(pod, wanted, ct);
            return null;
        }

        var binding = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Binding",
            ["metadata"] = new JsonObject { ["name"] = pod.Name(), ["namespace"] = pod.Namespace(), ["uid"] = pod.Uid() },
            ["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node.Name() },
        };
        try
        {
            await client.PostSubresourceAsync(Kinds.Pod, pod.Namespace(), pod.Name(), "binding", binding, ct);
        }
        catch (KubernetesException late) when (late.IsNotFound || late.IsConflict)
        {
            // Gone, or bound already: the cache lags.
            return null;
        }

        await events.TellAsync(
            pod, "Normal", "Scheduled", $"Successfully assigned {pod.Namespace()}/{pod.Name()} to {node.Name()}", ct);
        return null;
    }

    private static bool HasOtherScheduler(JsonObject pod) => pod.Text("spec", "schedulerName") is not (null or "" or Component);

    private async Task RefuseAsync(JsonObject pod, Selector wanted, CancellationToken ct)
    {
        var message = $"0/{nodes.Items.Count} nodes are available: no node has the labels {wanted}.";
        var present = Conditions.Find(pod, "PodScheduled");
        var next = Conditions.Next(present, "PodScheduled", false, "Unschedulable", message, clock.GetUtcNow(), hasUpdateTime: false);
        if (present is not null && SafeNames.Canonical(present) == SafeNames.Canonical(next))
        {
            return;
        }

        var others = pod.Objects("status", "conditions").Where(condition => condition.Text("type") != "PodScheduled").Select(condition => condition.DeepClone());
        var patch = new JsonObject { ["status"] = new JsonObject { ["phase"] = "Pending", ["conditions"] = new JsonArray([next, .. others]) } };
        await client.PatchStatusAsync(Kinds.Pod, pod.Namespace(), pod.Name(), patch, ct);
        await events.TellAsync(pod, "Warning", "FailedScheduling", message, ct);
    }
}
