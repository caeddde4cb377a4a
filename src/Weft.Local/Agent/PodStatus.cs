// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>Works out a pod's status from its containers, with the kubelet's rules; remembers when conditions changed.</summary>
internal sealed class PodStatus(PodSpec pod, DateTimeOffset startTime)
{
    private static readonly string[] _own = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

    private readonly Dictionary<string, (bool Value, DateTimeOffset Since)> _conditions = new(StringComparer.Ordinal);

    /// <summary>The status as a merge patch of the pod.</summary>
    public JsonObject Compute(PodView now, DateTimeOffset at)
    {
        var initialized = now.Init.All(IsThrough);
        var phase = Phase(initialized, now);
        var done = phase is "Succeeded" or "Failed";
        var counted = now.Containers.Concat(now.Init.Where(c => c.Spec.IsSidecar)).ToList();
        var unready = counted.Where(c => !c.Ready).Select(c => c.Spec.Name).ToArray();
        var allReady = counted.Count > 0 && unready.Length == 0 && !done && !now.Stopping;
        var gates = Gates(now.Source);
        var (reason, message) = allReady ? (null, "")
            : (done ? "PodCompleted" : "ContainersNotReady", unready.Length == 0 ? "" : $"containers with unready status: [{string.Join(' ', unready)}]");
        var status = new JsonObject
        {
            ["phase"] = phase,
            ["startTime"] = ContainerState.Time(startTime),
            ["hostIP"] = pod.HostAddress,
            ["hostIPs"] = Addresses(pod.HostAddresses),
            ["conditions"] = new JsonArray(
            [
                Condition("PodReadyToStartContainers", now.Address.Length > 0 && !done, at, now.Problem.Length > 0 ? "SandboxFailed" : null, now.Problem),
                Condition("Initialized", initialized, at, initialized ? done && phase == "Succeeded" ? "PodCompleted" : null : "ContainersNotInitialized", Incomplete(now)),
                Condition("Ready", allReady && gates.Length == 0, at, allReady && gates.Length > 0 ? "ReadinessGatesNotReady" : reason, allReady ? gates : message),
                Condition("ContainersReady", allReady, at, reason, message),
                Condition("PodScheduled", true, at, null, ""),
                .. Others(now.Source),
            ]),
            ["containerStatuses"] = Statuses(now.Containers, initialized),
        };
        if (now.Init.Count > 0)
        {
            status["initContainerStatuses"] = Statuses(now.Init, initialized: false, isInit: true);
        }

        if (now.Ephemeral.Count > 0)
        {
            status["ephemeralContainerStatuses"] = Statuses(now.Ephemeral, initialized: true);
        }

        if (now.Address.Length > 0)
        {
            status["podIP"] = now.Address;
            status["podIPs"] = Addresses(pod.AddressesOf(now.Address));
        }

        if (now.End is { } end)
        {
            status["reason"] = end.Reason;
            status["message"] = end.Message;
        }
        else if (now.Problem.Length > 0)
        {
            status["message"] = now.Problem;
        }

        return new JsonObject { ["status"] = status };
    }

    private static JsonArray Addresses(IEnumerable<string> addresses) => [.. addresses.Select(address => (JsonNode)new JsonObject { ["ip"] = address })];

    /// <summary>Whether an init container no longer holds the others up.</summary>
    private static bool IsThrough(ContainerSnapshot init) =>
        init.Spec.IsSidecar ? init.Started || init.State is ContainerState.Terminated : init.State is ContainerState.Terminated { ExitCode: 0 };

    private string Phase(bool initialized, PodView now)
    {
        if (now.End is not null)
        {
            return "Failed";
        }

        if (!initialized)
        {
            var failed = pod.RestartPolicy == "Never" && now.Init.Any(c => !c.Spec.IsSidecar && c.State is ContainerState.Terminated { ExitCode: not 0 });
            return failed ? "Failed" : "Pending";
        }

        // The application of a pod that has ended does not wait for its sidecar, which never ends by itself.
        var counted = now.Containers.Any(c => !c.Spec.IsProxy) ? now.Containers.Where(c => !c.Spec.IsProxy).ToList() : now.Containers;
        var allEnded = counted.All(c => c.State is ContainerState.Terminated);
        if (counted.Any(c => c.State is ContainerState.Waiting && c.Last is null && c.Restarts == 0))
        {
            return "Pending";
        }

        if (!allEnded || (pod.RestartPolicy == "Always" && !now.Stopping))
        {
            return "Running";
        }

        return counted.All(c => c.State is ContainerState.Terminated { ExitCode: 0 }) ? "Succeeded"
            : pod.RestartPolicy == "Never" || now.Stopping ? "Failed"
            : "Running";
    }

    private static string Incomplete(PodView now)
    {
        var names = now.Init.Where(c => !IsThrough(c)).Select(c => c.Spec.Name).ToArray();
        return names.Length == 0 ? "" : $"containers with incomplete status: [{string.Join(' ', names)}]";
    }

    /// <summary>What others must still say before the pod is ready; empty when they have.</summary>
    private static string Gates(JsonObject source)
    {
        var wanted = source.Objects("spec", "readinessGates").Select(g => g.Text("conditionType") ?? "");
        return string.Join(", ", wanted.Select(type => (type, Value: source.Objects("status", "conditions")
                .FirstOrDefault(c => c.Text("type") == type)?.Text("status")))
            .Where(gate => gate.Value != "True")
            .Select(gate => gate.Value is null
                ? $"corresponding condition of pod readiness gate \"{gate.type}\" does not exist."
                : $"the status of pod readiness gate \"{gate.type}\" is not \"True\", but {gate.Value}"));
    }

    /// <summary>Conditions that somebody else keeps.</summary>
    private static IEnumerable<JsonNode> Others(JsonObject source) => source.Objects("status", "conditions")
        .Where(c => !_own.Contains(c.Text("type"), StringComparer.Ordinal)).Select(c => c.DeepClone());

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

    private static JsonArray Statuses(IReadOnlyList<ContainerSnapshot> containers, bool initialized, bool isInit = false) =>
        [.. containers.Select((c, i) =>
        {
            // An init container waits for those before it, an application container for all of them.
            var waits = isInit ? !containers.Take(i).All(IsThrough) : !initialized;
            var state = c.State is ContainerState.Waiting { Reason: "ContainerCreating" } && waits ? new ContainerState.Waiting("PodInitializing") : c.State;
            return (JsonNode)new JsonObject
            {
                ["name"] = c.Spec.Name,
                ["image"] = c.Spec.Image,
                ["imageID"] = c.Id.Length > 0 ? $"weft://command/{c.Start?.Words[0]}" : "",
                ["containerID"] = c.Id,
                ["ready"] = isInit && !c.Spec.IsSidecar ? c.State is ContainerState.Terminated { ExitCode: 0 } : c.Ready,
                ["started"] = c.Started,
                ["restartCount"] = c.Restarts,
                ["state"] = state.ToJson(),
                ["lastState"] = c.Last?.ToJson() ?? [],
            };
        })];
}

/// <summary>All that a pod's status is made of, at one moment.</summary>
/// <param name="Source">The pod's object as last seen: others may keep conditions in it.</param>
/// <param name="Address">Empty as long as the pod has none.</param>
/// <param name="Problem">Why the pod's surroundings could not be made; empty when they could.</param>
internal sealed record PodView(
    JsonObject Source, string Address, IReadOnlyList<ContainerSnapshot> Init, IReadOnlyList<ContainerSnapshot> Containers, string Problem)
{
    public IReadOnlyList<ContainerSnapshot> Ephemeral { get; init; } = [];

    public bool Stopping { get; init; }

    /// <summary>Why the node has ended it; null if it has not.</summary>
    public PodEnd? End { get; init; }
}

/// <summary>Why the node has ended a pod.</summary>
internal sealed record PodEnd(string Reason, string Message);
