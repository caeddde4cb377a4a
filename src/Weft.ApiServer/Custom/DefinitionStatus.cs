// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Custom;

/// <summary>The status of a CustomResourceDefinition: which names it got, and whether its kind is served.</summary>
internal static class DefinitionStatus
{
    public static bool IsTrue(JsonObject tree, string type) =>
        tree.At("status", "conditions").Items().Any(item => item.Text("type") == type && item.Text("status") is "True");

    /// <summary>Brings the status up to date; true when something changed.</summary>
    public static bool Update(JsonObject tree, TakenNames taken, DateTimeOffset now)
    {
        var before = tree["status"]?.DeepClone();
        var status = tree.Child("status");
        var names = tree.At("spec", "names") as JsonObject ?? [];
        var conflict = taken.Claim(tree);
        if (conflict is null)
        {
            status["acceptedNames"] = names.DeepClone();
        }
        else
        {
            status.Missing("acceptedNames", new JsonObject { ["kind"] = "", ["plural"] = "" });
        }

        Condition(status, "NamesAccepted", conflict is null, conflict?.Reason ?? "NoConflicts", conflict?.Message ?? "no conflicts found", now);
        if (IsTrue(tree, "Established") || conflict is null)
        {
            Condition(status, "Established", true, "InitialNamesAccepted", "the initial names have been accepted", now);
        }
        else
        {
            Condition(status, "Established", false, "NotAccepted", "not all names are accepted", now);
        }

        if (tree.At("metadata", "deletionTimestamp") is not null)
        {
            Condition(status, "Terminating", true, "InstanceDeletionInProgress", "CustomResource deletion is in progress", now);
        }

        StoredVersions(tree, status);
        return !JsonNode.DeepEquals(before, status);
    }

    private static void StoredVersions(JsonObject tree, JsonObject status)
    {
        var storage = tree.At("spec", "versions").Items().FirstOrDefault(version => version.Flag("storage") ?? false)?.Text("name");
        if (status["storedVersions"] is not JsonArray stored)
        {
            status["storedVersions"] = stored = [];
        }

        if (storage is not null && !stored.Any(name => name.Text() == storage))
        {
            stored.Add(storage);
        }
    }

    private static void Condition(JsonObject status, string type, bool holds, string reason, string message, DateTimeOffset now)
    {
        if (status["conditions"] is not JsonArray conditions)
        {
            status["conditions"] = conditions = [];
        }

        var shown = holds ? "True" : "False";
        var found = conditions.Items().FirstOrDefault(item => item.Text("type") == type);
        if (found is null)
        {
            conditions.Add(found = new JsonObject());
        }

        if (found.Text("status") == shown && found.Text("reason") == reason && found.Text("message") == message)
        {
            return;
        }

        if (found.Text("status") != shown)
        {
            found["lastTransitionTime"] = JsonText.Timestamp(now);
        }

        found["message"] = message;
        found["reason"] = reason;
        found["status"] = shown;
        found["type"] = type;
    }

    private static void Missing(this JsonObject tree, string name, JsonNode value)
    {
        if (tree[name] is null)
        {
            tree[name] = value;
        }
    }
}

/// <summary>The names that kinds of a group have already, first come first served.</summary>
internal sealed class TakenNames(IReadOnlyList<ResourceDefinition> permanent)
{
    private readonly HashSet<string> _resources = new(StringComparer.Ordinal);
    private readonly HashSet<string> _kinds = new(StringComparer.Ordinal);

    /// <summary>Takes the names of a definition; null when all were free, otherwise what was not.</summary>
    public (string Reason, string Message)? Claim(JsonObject tree)
    {
        var group = tree.At("spec", "group").Text() ?? "";
        var names = tree.At("spec", "names") as JsonObject ?? [];
        var plural = names.Text("plural") ?? "";
        var kind = names.Text("kind") ?? "";
        var own = permanent.FirstOrDefault(item => item.Group == group && item.Plural == plural);
        if ((own is not null && own.Kind != kind) || permanent.Any(item => item.Group == group && item.Kind == kind && item.Plural != plural))
        {
            return ("KindConflict", $"\"{kind}\" is already in use");
        }

        List<(string Reason, string Name, HashSet<string> Set)> wanted =
        [
            ("PluralConflict", plural, _resources),
            ("SingularConflict", names.Text("singular") ?? "", _resources),
            .. (names["shortNames"] as JsonArray ?? []).Select(item => ("ShortNamesConflict", item.Text() ?? "", _resources)),
            ("KindConflict", kind, _kinds),
            ("ListKindConflict", names.Text("listKind") ?? "", _kinds),
        ];
        wanted = [.. wanted.Where(item => item.Name.Length > 0).DistinctBy(item => (item.Name, item.Set))];
        foreach (var (reason, name, set) in wanted)
        {
            if (set.Contains(group + "/" + name))
            {
                return (reason, $"\"{name}\" is already in use");
            }
        }

        wanted.ForEach(item => item.Set.Add(group + "/" + item.Name));
        return null;
    }
}
