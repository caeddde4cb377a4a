// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Disruption;

/// <summary>Keeps each PodDisruptionBudget's status: how many of its pods may be evicted now. The API's eviction asks it.</summary>
internal sealed class BudgetController(Mirror budgets, Informer pods, EventLog events, TimeProvider clock)
{
    /// <summary>The kinds that have a number of replicas.</summary>
    public required IReadOnlyDictionary<string, Informer> Scaled { get; init; }

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (budgets.Find(key) is not { } budget || Owners.IsBeingDeleted(budget))
        {
            return null;
        }

        var now = clock.GetUtcNow();
        var meant = pods.Items.Where(pod => pod.Namespace() == key.Namespace && BudgetPlan.Means(budget, pod)).ToList();
        BudgetPlan plan;
        try
        {
            plan = BudgetPlan.Make(budget, meant, ScaleOf, now);
        }
        catch (FormatException unclear)
        {
            // Fails closed: nobody is evicted while the number is not known.
            await events.TellAsync(budget, "Warning", "CalculateExpectedPodCountFailed", $"Failed to calculate the number of expected pods: {unclear.Message}", ct);
            await WriteAsync(budget, new BudgetPlan(0, 0, 0, []), ("SyncFailed", unclear.Message), ct);
            return null;
        }

        if (meant.Count == 0)
        {
            await events.TellAsync(budget, "Normal", "NoPods", "No matching pods found", ct);
        }

        await WriteAsync(budget, plan, (plan.Allowed > 0 ? "SufficientPods" : "InsufficientPods", ""), ct);
        return BudgetPlan.Next(budget, meant, now);
    }

    /// <summary>The number that a pod's controller wants; a Deployment's for the pods of its ReplicaSets.</summary>
    private (string Uid, long Replicas)? ScaleOf(JsonObject pod)
    {
        var owner = Owners.ControllerOf(pod)!;
        if (Find(owner, pod.Namespace()) is not { } found)
        {
            return null;
        }

        if (found.Kind() == "ReplicaSet" && Owners.ControllerOf(found) is { } above && Find(above, pod.Namespace()) is { } deployment)
        {
            found = deployment;
        }

        return (found.Uid(), found.Number("spec", "replicas") ?? 1);
    }

    private JsonObject? Find(JsonObject reference, string ns) =>
        Scaled.GetValueOrDefault(reference.Text("kind") ?? "")?.Find(ns, reference.Text("name") ?? "") is { } found && found.Uid() == reference.Text("uid") ? found : null;

    private async Task WriteAsync(JsonObject budget, BudgetPlan plan, (string Reason, string Message) words, CancellationToken ct)
    {
        var condition = Conditions.Next(
            Conditions.Find(budget, "DisruptionAllowed"), "DisruptionAllowed", plan.Allowed > 0, words.Reason, words.Message, clock.GetUtcNow(), hasUpdateTime: false);
        var generation = budget.Number("metadata", "generation") ?? 0;
        condition["observedGeneration"] = generation;
        var status = new JsonObject
        {
            ["observedGeneration"] = generation,
            ["disruptionsAllowed"] = plan.Allowed,
            ["currentHealthy"] = plan.Healthy,
            ["desiredHealthy"] = plan.Desired,
            ["expectedPods"] = plan.Expected,
            ["conditions"] = new JsonArray(condition),
        };
        if (plan.Disrupted.Count > 0)
        {
            status["disruptedPods"] = plan.Disrupted;
        }

        await budgets.WriteStatusAsync(budget, status, ct);
    }
}
