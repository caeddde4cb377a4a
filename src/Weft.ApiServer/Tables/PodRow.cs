// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Tables;

/// <summary>The cells of a pod: readiness, the one word for its state, restarts.</summary>
internal sealed class PodRow
{
    private readonly JsonObject _pod;
    private readonly DateTimeOffset _now;
    private readonly HashSet<string> _sidecars;
    private int _ready;
    private readonly int _total;
    private long _restarts;
    private DateTimeOffset? _lastRestart;
    private string _reason;

    private PodRow(JsonObject pod, DateTimeOffset now)
    {
        _pod = pod;
        _now = now;
        _sidecars = pod.At("spec", "initContainers").Items()
            .Where(item => item.Text("restartPolicy") is "Always")
            .Select(item => item.Text("name") ?? "").ToHashSet(StringComparer.Ordinal);
        _total = pod.At("spec", "containers").Items().Count() + _sidecars.Count;
        _reason = pod.At("status", "reason").Text() is { Length: > 0 } reason ? reason : pod.At("status", "phase").Text() ?? "";
    }

    public static JsonArray Cells(JsonObject pod, DateTimeOffset now)
    {
        var row = new PodRow(pod, now);
        var initializing = row.ReadInitContainers();
        if (!initializing || row.IsInitialized())
        {
            row.ReadContainers();
        }

        row.ReadDeletion();
        var restarts = row._restarts == 0 || row._lastRestart is null
            ? $"{row._restarts}"
            : $"{row._restarts} ({HumanText.Duration(now - row._lastRestart.Value)} ago)";
        return
        [
            pod.At("metadata", "name").Text(),
            $"{row._ready}/{row._total}",
            row._reason,
            restarts,
            HumanText.Age(pod.At("metadata", "creationTimestamp"), now),
            HumanText.OrNone(pod.At("status", "podIP").Text()),
            HumanText.OrNone(pod.At("spec", "nodeName").Text()),
            HumanText.OrNone(pod.At("status", "nominatedNodeName").Text()),
            row.ReadinessGates(),
        ];
    }

    private bool ReadInitContainers()
    {
        var statuses = _pod.At("status", "initContainerStatuses").Items().ToList();
        var count = _pod.At("spec", "initContainers").Items().Count();
        for (var i = 0; i < statuses.Count; i++)
        {
            var status = statuses[i];
            var sidecar = _sidecars.Contains(status.Text("name") ?? "");
            CountRestarts(status);
            if (status.At("state", "terminated", "exitCode").Number() == 0)
            {
                continue;
            }

            if (sidecar && (status.Flag("started") ?? false))
            {
                _ready += status.Flag("ready") ?? false ? 1 : 0;
                continue;
            }

            if (status.At("state", "terminated") is JsonObject ended)
            {
                _reason = "Init:" + (ended.Text("reason") is { Length: > 0 } why ? why : ExitText(ended));
            }
            else
            {
                _reason = status.At("state", "waiting", "reason").Text() is { Length: > 0 } why
                    && why is not "PodInitializing"
                        ? "Init:" + why
                        : $"Init:{i}/{count}";
            }

            return true;
        }

        return false;
    }

    private bool IsInitialized() => _pod.At("status", "conditions").Items()
        .Any(item => item.Text("type") is "Initialized" && item.Text("status") is "True");

    private void ReadContainers()
    {
        var anyRunning = false;
        if (_sidecars.Count == 0)
        {
            _restarts = 0;
            _lastRestart = null;
        }

        foreach (var status in _pod.At("status", "containerStatuses").Items().Reverse())
        {
            CountRestarts(status);
            if (status.At("state", "waiting", "reason").Text() is { Length: > 0 } waiting)
            {
                _reason = waiting;
            }
            else if (status.At("state", "terminated") is JsonObject ended)
            {
                _reason = ended.Text("reason") is { Length: > 0 } why ? why : ExitText(ended);
            }
            else if ((status.Flag("ready") ?? false) && status.At("state", "running") is not null)
            {
                anyRunning = true;
                _ready++;
            }
        }

        if (_reason is "Completed" && anyRunning)
        {
            var ready = _pod.At("status", "conditions").Items()
                .Any(item => item.Text("type") is "Ready" && item.Text("status") is "True");
            _reason = ready ? "Running" : "NotReady";
        }
    }

    private void ReadDeletion()
    {
        if (_pod.At("metadata", "deletionTimestamp") is null)
        {
            return;
        }

        if (_pod.At("status", "reason").Text() is "NodeLost")
        {
            _reason = "Unknown";
        }
        else if (_pod.At("status", "phase").Text() is not ("Succeeded" or "Failed"))
        {
            _reason = "Terminating";
        }
    }

    private void CountRestarts(JsonObject status)
    {
        _restarts += status.Number("restartCount") ?? 0;
        var finished = HumanText.Moment(status.At("lastState", "terminated", "finishedAt"));
        if (finished > (_lastRestart ?? DateTimeOffset.MinValue))
        {
            _lastRestart = finished;
        }
    }

    private string ReadinessGates()
    {
        var gates = _pod.At("spec", "readinessGates").Items().ToList();
        if (gates.Count == 0)
        {
            return HumanText.None;
        }

        var met = gates.Count(gate => _pod.At("status", "conditions").Items().Any(condition =>
            string.Equals(condition.Text("type"), gate.Text("conditionType"), StringComparison.Ordinal)
            && condition.Text("status") is "True"));
        return $"{met}/{gates.Count}";
    }

    private static string ExitText(JsonObject ended) => ended.Number("signal") is > 0 and var signal
        ? $"Signal:{signal}"
        : $"ExitCode:{ended.Number("exitCode") ?? 0}";
}
