// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Control.Injection;

/// <summary>The name of what a pod is a replica of, as metrics and people call it.</summary>
public static class WorkloadName
{
    /// <summary>The Deployment, StatefulSet, ... behind a pod; a pod that stands alone is its own workload.</summary>
    public static string Of(JsonObject pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        foreach (var owner in pod.Objects("metadata", "ownerReferences"))
        {
            if (owner.Flag("controller") != false && owner.Text("name") is { Length: > 0 } name)
            {
                return owner.Text("kind") switch
                {
                    "ReplicaSet" => Deployment(pod, name),
                    "Job" => CronJob(name),
                    _ => name,
                };
            }
        }

        return pod.Name() is { Length: > 0 } own ? own : (pod.Text("metadata", "generateName") ?? "").TrimEnd('-');
    }

    private static string Deployment(JsonObject pod, string replicaSet)
    {
        var hash = pod.Label("pod-template-hash");
        return hash is { Length: > 0 } && replicaSet.EndsWith($"-{hash}", StringComparison.Ordinal)
            ? replicaSet[..^(hash.Length + 1)]
            : replicaSet;
    }

    private static string CronJob(string job)
    {
        // A CronJob names its jobs after the minute they were due at: name-28371234.
        var dash = job.LastIndexOf('-');
        return dash > 0 && job.Length - dash - 1 >= 8 && job[(dash + 1)..].All(char.IsAsciiDigit) ? job[..dash] : job;
    }
}
