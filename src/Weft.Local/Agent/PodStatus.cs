// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Local.Network;

namespace Weft.Local.Agent;

/// <summary>Works out a pod's status from its containers, with the kubelet's rules; remembers when conditions changed.</summary>
internal sealed class PodStatus(PodSpec pod, DateTimeOffset startTime)
{
    private readonly Dictionary<string, (bool Value, DateTimeOffset Since)> _conditions = new(StringComparer.Ordinal);

    /// <summary>The status as a merge patch of the pod.</summary>
    /// <param name="address">Empty as long as the pod has none.</param>
    /// <param name="problem">Why the pod's surroundings could not be made; empty when they could.</param>
    public JsonObject Compute(
        string address,
        IReadOnlyList<ContainerSnapshot> init,
        IReadOnlyList<ContainerSnapshot> containers,
        bool stopping,
        string problem,
        DateTimeOffset now)
    {
        var initialized = init.All(c => c.State is ContainerState.Terminated { ExitCode: 0 });
        var phase = Phase(initialized, init, containers);
        var done = phase is "Succeeded" or "Failed";
        var ready = containers.Count > 0 && containers.All(c => c.Ready) && !done && !stopping;
        var status = new JsonObject
        {
            ["phase"] = phase,
            ["startTime"] = ContainerState.Time(startTime),
            ["hostIP"] = NodePlace.AddressOf(pod.NodeName),
            ["hostIPs"] = new JsonArray(new JsonObject { ["ip"] = NodePlace.AddressOf(pod.NodeName) }),
            ["conditions"] = new JsonArray(
                Condition("PodReadyToStartContainers", address.Length > 0, now, problem.Length > 0 ? "SandboxFailed" : null, problem),
                Condition("Initialized", initialized, now, initialized ? null : "ContainersNotInitialized", ""),
                Condition("Ready", ready, now, ready ? null : done ? "PodCompleted" : "ContainersNotReady", Unready(containers)),
                Condition("ContainersReady", ready, now, ready ? null : done ? "PodCompleted" : "ContainersNotReady", Unready(containers)),
                Condition("PodScheduled", true, now, null, "")),
            ["containerStatuses"] = Statuses(containers, initialized),
        };
        if (init.Count > 0)
        {
            status["initContainerStatuses"] = Statuses(init, initialized: true);
        }

        if (address.Length > 0)
        {
            status["podIP"] = address;
            status["podIPs"] = new JsonArray(new JsonObject { ["ip"] = address });
        }

        if (problem.Length > 0)
        {
            status["message"] = problem;
        }

        return new JsonObject { ["status"] = status };
    }

    private string Phase(bool initialized, IReadOnlyList<ContainerSnapshot> init, IReadOnlyList<ContainerSnapshot> containers)
    {
        if (!initialized)
        {
            var failed = pod.RestartPolicy == "Never" && init.Any(c => c.State is ContainerState.Terminated { ExitCode: not 0 });
            return failed ? "Failed" : "Pending";
        }

        // The application of a pod that has ended does not wait for its sidecar, which never ends by itself.
        var counted = containers.Any(c => !c.Spec.IsProxy) ? containers.Where(c => !c.Spec.IsProxy).ToList() : containers;
        var allEnded = counted.All(c => c.State is ContainerState.Terminated);
        if (counted.Any(c => c.State is ContainerState.Waiting && c.Last is null))
        {
            return "Pending";
        }

        if (!allEnded || pod.RestartPolicy == "Always")
        {
            return "Running";
        }

        return counted.All(c => c.State is ContainerState.Terminated { ExitCode: 0 }) ? "Succeeded"
            : pod.RestartPolicy == "Never" ? "Failed"
            : "Running";
    }

    private JsonObject Condition(string type, bool value, DateTimeOffset now, string? reason, string message)
    {
        if (!_conditions.TryGetValue(type, out var known) || known.Value != value)
        {
            known = (value, now);
            _conditions[type] = known;
        }

        var condition = new JsonObject
        {
            ["type"] = type,
            ["status"] = value ? "True" : "False",
            ["lastProbeTime"] = null,
            ["lastTransitionTime"] = ContainerState.Time(known.Since),
        };
        if (reason is not null)
        {
            condition["reason"] = reason;
        }

        if (message.Length > 0 && !value)
        {
            condition["message"] = message;
        }

        return condition;
    }

    private static string Unready(IReadOnlyList<ContainerSnapshot> containers)
    {
        var names = containers.Where(c => !c.Ready).Select(c => c.Spec.Name).ToArray();
        return names.Length == 0 ? "" : $"containers with unready status: [{string.Join(' ', names)}]";
    }

    private JsonArray Statuses(IReadOnlyList<ContainerSnapshot> containers, bool initialized) =>
        [.. containers.Select(c =>
        {
            var state = c.State is ContainerState.Waiting { Reason: "ContainerCreating" } && !initialized
                ? new ContainerState.Waiting("PodInitializing")
                : c.State;
            return (JsonNode)new JsonObject
            {
                ["name"] = c.Spec.Name,
                ["image"] = c.Spec.Image,
                ["imageID"] = "",
                ["containerID"] = c.Start is null ? "" : $"weft://{pod.Uid}/{c.Spec.Name}/{c.Restarts}",
                ["ready"] = c.Ready,
                ["started"] = c.Started,
                ["restartCount"] = c.Restarts,
                ["state"] = state.ToJson(),
                ["lastState"] = c.Last?.ToJson() ?? [],
            };
        })];
}
