// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Sets;

/// <summary>What a StatefulSet does next. Pure: the present pods and the spec in, the steps out.</summary>
internal sealed class StatefulPlan
{
    private readonly JsonObject _set;
    private readonly string _update;
    private readonly DateTimeOffset _now;
    private readonly bool _ordered;
    private readonly long _minReady;

    private StatefulPlan(JsonObject set, string update, DateTimeOffset now)
    {
        _set = set;
        _update = update;
        _now = now;
        _ordered = set.Text("spec", "podManagementPolicy") != "Parallel";
        _minReady = set.Number("spec", "minReadySeconds") ?? 0;
        Start = set.Number("spec", "ordinals", "start") ?? 0;
        Replicas = set.Number("spec", "replicas") ?? 1;
    }

    public long Start { get; }

    public long Replicas { get; }

    /// <summary>Numbers whose pods are to be made.</summary>
    public List<long> Missing { get; } = [];

    /// <summary>Pods that have failed: they go, and come again.</summary>
    public List<JsonObject> Failed { get; } = [];

    /// <summary>Pods beyond the number of replicas, the highest first.</summary>
    public List<JsonObject> Condemned { get; } = [];

    /// <summary>Pods of an old revision that make room for one of the new.</summary>
    public List<JsonObject> Outdated { get; } = [];

    public static StatefulPlan Make(JsonObject set, IReadOnlyCollection<JsonObject> pods, string updateRevision, DateTimeOffset now)
    {
        var plan = new StatefulPlan(set, updateRevision, now);
        plan.Decide(pods);
        return plan;
    }

    /// <summary>True if a pod made for this number is still to be of the old revision.</summary>
    public static bool IsOld(JsonObject set, long ordinal) =>
        set.Text("spec", "updateStrategy", "type") != "OnDelete"
        && ordinal < (set.Number("spec", "ordinals", "start") ?? 0) + (set.Number("spec", "updateStrategy", "rollingUpdate", "partition") ?? 0);

    private void Decide(IReadOnlyCollection<JsonObject> pods)
    {
        var byOrdinal = new SortedDictionary<long, JsonObject>();
        foreach (var pod in pods)
        {
            if (StatefulPod.OrdinalOf(_set, pod) is { } ordinal)
            {
                byOrdinal[ordinal] = pod;
            }
        }

        if (!Grow(byOrdinal) || !Shrink(byOrdinal))
        {
            return;
        }

        Renew(byOrdinal);
    }

    /// <summary>False if nothing further may be done now: in order, one pod waits for the one before it.</summary>
    private bool Grow(SortedDictionary<long, JsonObject> pods)
    {
        for (var ordinal = Start; ordinal < Start + Replicas; ordinal++)
        {
            if (!pods.TryGetValue(ordinal, out var pod))
            {
                Missing.Add(ordinal);
            }
            else if (PodState.HasEnded(pod))
            {
                if (!Owners.IsBeingDeleted(pod))
                {
                    Failed.Add(pod);
                }
            }
            else if (!_ordered || (!Owners.IsBeingDeleted(pod) && IsAvailable(pod)))
            {
                continue;
            }

            if (_ordered)
            {
                return false;
            }
        }

        return true;
    }

    private bool Shrink(SortedDictionary<long, JsonObject> pods)
    {
        var beyond = pods.Where(pair => pair.Key < Start || pair.Key >= Start + Replicas).Select(pair => pair.Value).Reverse().ToList();
        foreach (var pod in beyond)
        {
            if (!Owners.IsBeingDeleted(pod))
            {
                Condemned.Add(pod);
            }

            if (_ordered)
            {
                // One at a time; the next when this one is gone.
                return false;
            }
        }

        return true;
    }

    private void Renew(SortedDictionary<long, JsonObject> pods)
    {
        if (_set.Text("spec", "updateStrategy", "type") == "OnDelete")
        {
            return;
        }

        var partition = _set.Number("spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
        var limit = Math.Max(1, Share.Of(_set.Find("spec", "updateStrategy", "rollingUpdate", "maxUnavailable"), "1", Replicas, roundUp: true));
        var unavailable = 0L;
        for (var ordinal = Start + Replicas - 1; ordinal >= Start + partition && unavailable < limit; ordinal--)
        {
            if (!pods.TryGetValue(ordinal, out var pod) || Owners.IsBeingDeleted(pod))
            {
                unavailable++;
            }
            else if (pod.Label(Revisions.HashLabel) != _update)
            {
                Outdated.Add(pod);
                unavailable++;
            }
            else if (!IsAvailable(pod))
            {
                unavailable++;
            }
        }
    }

    private bool IsAvailable(JsonObject pod) => PodState.UntilAvailable(pod, _minReady, _now) == TimeSpan.Zero;
}
