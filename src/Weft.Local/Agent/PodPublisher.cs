// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>A pod's object in the API: its status is written, and at its end it is deleted.</summary>
internal sealed partial class PodPublisher(KubernetesClient client, LocalNodeOptions options)
{
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(500);

    private JsonObject? _published;

    /// <summary>True if the API has this status now, or has no such pod any more.</summary>
    public async Task<bool> PublishAsync(PodSpec pod, JsonObject status, CancellationToken ct)
    {
        if (JsonNode.DeepEquals(status, _published) && !IsBelieved(pod, "NodeNotReady"))
        {
            return true;
        }

        try
        {
            await client.PatchStatusAsync(Kinds.Pod, pod.Namespace, pod.Name, status, ct);
        }
        catch (KubernetesException e) when (e.IsNotFound)
        {
            // Deleted in the meantime: there is nothing left to write to.
        }
        catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
        {
            LogRefused(options.Log, pod.Namespace, pod.Name, e.Message);
            return false;
        }

        _published = status;
        return true;
    }

    /// <summary>Others said this of the pod while its node was silent.</summary>
    private static bool IsBelieved(PodSpec pod, string reason) =>
        pod.Source.Objects("status", "conditions").Any(c => c.Text("type") == "Ready" && c.Text("reason") == reason);

    /// <summary>Tries until the object is gone, or <paramref name="killed"/> or <paramref name="ct"/> ends it.</summary>
    public async Task DeleteAsync(PodSpec pod, CancellationToken killed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested && !killed.IsCancellationRequested)
        {
            try
            {
                await client.DeleteNowAsync(Kinds.Pod, pod.Namespace, pod.Name, pod.Uid, ct);
                return;
            }
            catch (KubernetesException e) when (e.IsNotFound || e.IsConflict)
            {
                // Gone already, or another pod has the name by now.
                return;
            }
            catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
            {
                LogRefused(options.Log, pod.Namespace, pod.Name, e.Message);
                await Task.Delay(_lookAgain, options.Time, ct);
            }
        }
    }

    [LoggerMessage(5411, LogLevel.Warning, "{Namespace}/{Pod}: the API did not take its status: {Reason}")]
    private static partial void LogRefused(ILogger log, string @namespace, string pod, string reason);
}
