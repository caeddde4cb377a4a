// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Selectors;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Verbs;

/// <summary>POST …/pods/NAME/eviction: a deletion that asks the pod's disruption budget first.</summary>
internal sealed class Evicting(ApiServices services, Deletion deletion)
{
    /// <summary>Granted evictions that a budget remembers; more at once would say that its controller does not run.</summary>
    public const int MaxDisrupted = 2000;

    private const string Budgets = "poddisruptionbudgets.policy";
    private const string Refusal = "Cannot evict pod as it would violate the pod's disruption budget.";

    public async Task RunAsync(ApiRequest request)
    {
        var body = await RequestBody.ReadOptionalAsync(request.Context);
        if (body.At("metadata", "name").Text() is { Length: > 0 } named && named != request.Name)
        {
            throw ApiException.BadRequest("name in URL does not match name in Eviction object");
        }

        var options = body["deleteOptions"] as JsonObject ?? [];
        var dryRun = Changing.IsDryRun(request, options);
        var key = new ObjectKey(request.Namespace, request.Name!);
        var pod = services.Store.Find("pods", key) ?? throw ApiException.NotFound(request.Resource, key.Name);
        var tree = pod.Parse();
        // One that does not run yet, or not any more, serves nobody.
        if (tree.At("metadata", "deletionTimestamp") is null && tree.At("status", "phase").Text() is not ("Pending" or "Succeeded" or "Failed"))
        {
            Ask(tree, key, dryRun);
        }

        deletion.Delete(request.Resource, key, options, dryRun);
        var success = ApiException.Success([]);
        success["code"] = 201;
        await Answer.JsonAsync(request.Context, 201, success);
    }

    private void Ask(JsonObject pod, ObjectKey key, bool dryRun)
    {
        while (true)
        {
            var meant = services.Store.Snapshot(Budgets).Objects.Values.Where(budget => budget.Key.Namespace == key.Namespace && Means(budget.Parse(), pod)).ToList();
            if (meant.Count == 0)
            {
                return;
            }

            if (meant.Count > 1)
            {
                throw new ApiException(
                    500, "InternalError", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
            }

            var tree = meant[0].Parse();
            if (!Take(tree, pod, key.Name) || dryRun || services.Store.TryReplace(Budgets, tree, meant[0].Version) is not null)
            {
                return;
            }

            // Another eviction was faster; what it left is asked again.
        }
    }

    /// <summary>Takes one from the budget; false if the pod does not count. Throws if there is none left.</summary>
    private bool Take(JsonObject budget, JsonObject pod, string name)
    {
        var status = budget.Child("status");
        var healthy = status.Number("currentHealthy") ?? 0;
        var desired = status.Number("desiredHealthy") ?? 0;
        if (!IsReady(pod) && (budget.At("spec", "unhealthyPodEvictionPolicy").Text() is "AlwaysAllow" || (healthy >= desired && desired > 0)))
        {
            return false;
        }

        var called = budget.At("metadata", "name").Text();
        if ((status.Number("observedGeneration") ?? 0) < (budget.At("metadata", "generation").Number() ?? 0))
        {
            throw Refuse($"The disruption budget {called} is still being processed by the server.");
        }

        var allowed = status.Number("disruptionsAllowed") ?? 0;
        var disrupted = status.Child("disruptedPods");
        if (allowed <= 0 || disrupted.Count >= MaxDisrupted)
        {
            throw Refuse(string.Create(
                CultureInfo.InvariantCulture, $"The disruption budget {called} needs {desired} healthy pods and has {healthy} currently"));
        }

        status["disruptionsAllowed"] = allowed - 1;
        disrupted[name] = JsonText.Timestamp(services.Clock.GetUtcNow());
        return true;
    }

    private static bool IsReady(JsonObject pod) =>
        pod.At("status", "conditions").Items().Any(condition => condition.Text("type") is "Ready" && condition.Text("status") is "True");

    private static bool Means(JsonObject budget, JsonObject pod)
    {
        if (budget.At("spec", "selector") is not JsonObject selector)
        {
            return false;
        }

        var labels = (pod.At("metadata", "labels") as JsonObject ?? []).ToDictionary(pair => pair.Key, pair => pair.Value.Text() ?? "", StringComparer.Ordinal);
        var text = HumanText.Selector(selector);
        return text is HumanText.None || LabelSelector.Parse(text).Matches(labels);
    }

    /// <summary>Without a time to wait: clients would wait it out inside one request, and `kubectl drain` would miss its own deadline.</summary>
    private static ApiException Refuse(string why) => new(429, "TooManyRequests", Refusal, new JsonObject
    {
        ["causes"] = new JsonArray(new JsonObject { ["reason"] = "DisruptionBudget", ["message"] = why }),
    });
}
