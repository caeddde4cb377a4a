// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Collecting;

/// <summary>Empties a namespace that is being deleted, and says in its conditions what still keeps it.</summary>
internal sealed class NamespaceEnd(ApiServices services, Deletion deletion)
{
    public void Run(StoredObject ns, Census census)
    {
        var left = new List<(ResourceDefinition Resource, StoredObject Item)>();
        var problems = new List<string>();
        foreach (var (resource, items) in census.All.Where(pair => pair.Resource.Namespaced))
        {
            foreach (var item in items.Where(item => item.Key.Namespace == ns.Key.Name))
            {
                TryDelete(resource, item, problems);
                if (services.Store.Find(resource.StoredAs, item.Key.Namespace, item.Key.Name) is { } still)
                {
                    left.Add((resource, still));
                }
            }
        }

        var tree = ns.Parse();
        if (left.Count > 0)
        {
            if (Describe(tree.Child("status"), left, problems))
            {
                // Whoever was faster causes another sweep.
                services.Store.TryReplace("namespaces", tree, ns.Version);
            }

            return;
        }

        tree["spec"] = new JsonObject();
        if (tree.At("metadata", "finalizers") is JsonArray { Count: > 0 })
        {
            services.Store.TryReplace("namespaces", tree, ns.Version);
        }
        else
        {
            services.Store.TryRemove(ns);
        }
    }

    private void TryDelete(ResourceDefinition resource, StoredObject item, List<string> problems)
    {
        if (item.Deleting)
        {
            return;
        }

        try
        {
            var options = new JsonObject { ["preconditions"] = new JsonObject { ["uid"] = item.Uid } };
            deletion.Delete(resource, item.Key, options, dryRun: false);
        }
        catch (ApiException gone) when (gone.Code is 404 or 409)
        {
            // It went by itself, or another object took its name.
        }
        catch (ApiException problem)
        {
            problems.Add(problem.Message);
        }
    }

    /// <summary>Writes the five conditions; false when they said all that already.</summary>
    private bool Describe(JsonObject status, List<(ResourceDefinition Resource, StoredObject Item)> left, List<string> problems)
    {
        var remaining = left.GroupBy(found => $"{found.Resource.Plural}.{found.Resource.Group}", StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Key} has {group.Count()} resource instances");
        var finalizers = left.SelectMany(found => (found.Item.Parse().At("metadata", "finalizers") as JsonArray ?? []).Select(name => name.Text() ?? ""))
            .GroupBy(name => name, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => $"{group.Key} in {group.Count()} resource instances").ToList();
        var before = status["conditions"]?.DeepClone();
        var conditions = new JsonArray();
        void Add(string type, bool holds, string reason, string message) => conditions.Add(Condition(before, type, holds, reason, message));
        Add("NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "All resources successfully discovered");
        Add("NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions", "All legacy kube types successfully parsed");
        if (problems.Count > 0)
        {
            Add("NamespaceDeletionContentFailure", true, "ContentDeletionFailed", "Failed to delete all resource types, "
                + $"{problems.Count} remaining: {string.Join(", ", problems)}");
        }
        else
        {
            Add("NamespaceDeletionContentFailure", false, "ContentDeleted", "All content successfully deleted, may be waiting on finalization");
        }

        Add("NamespaceContentRemaining", true, "SomeResourcesRemain", "Some resources are remaining: " + string.Join(", ", remaining));
        if (finalizers.Count > 0)
        {
            Add("NamespaceFinalizersRemaining", true, "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: " + string.Join(", ", finalizers));
        }
        else
        {
            Add("NamespaceFinalizersRemaining", false, "ContentHasNoFinalizers", "All content-preserving finalizers finished");
        }

        status["conditions"] = conditions;
        return !JsonNode.DeepEquals(before, conditions);
    }

    private JsonObject Condition(JsonNode? before, string type, bool holds, string reason, string message)
    {
        var text = holds ? "True" : "False";
        var old = before.Items().FirstOrDefault(item => item.Text("type") == type && item.Text("status") == text);
        return new JsonObject
        {
            ["lastTransitionTime"] = old?.Text("lastTransitionTime") ?? JsonText.Timestamp(services.Clock.GetUtcNow()),
            ["message"] = message,
            ["reason"] = reason,
            ["status"] = text,
            ["type"] = type,
        };
    }
}
