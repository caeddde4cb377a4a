// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Patching;
using Weft.ApiServer.Schema;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>
/// Server-side apply. Ownership is kept for those who apply; plain updates own nothing here, so only appliers can conflict.
/// </summary>
internal sealed class Applying(ApiServices services, ObjectWriter writer, Reading reading)
{
    private const string Operation = "Apply";

    public async Task RunAsync(ApiRequest request, byte[] body)
    {
        var manager = request.Query("fieldManager");
        if (string.IsNullOrEmpty(manager))
        {
            throw ApiException.Unprocessable(
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch");
        }

        var duplicates = new List<string>();
        var applied = RequestBody.ParseObject(body, duplicates);
        Decoder.CheckKind(request, applied);
        if (applied.At("metadata", "managedFields") is not null)
        {
            throw ApiException.BadRequest("metadata.managedFields must be nil");
        }

        var fields = FieldsOf(request, applied, duplicates);
        for (var attempt = 0; attempt < ApiLimits.PatchAttempts; attempt++)
        {
            var current = services.Store.Find(request.Resource.GroupResource, request.Namespace, request.Name!);
            if (current is null)
            {
                await reading.ShowAsync(request, 201, Create(request, applied, manager, fields));
                return;
            }

            var tree = Merge(request, current, applied, manager, fields);
            if (writer.Replace(request, current, tree) is { } written)
            {
                await reading.ShowAsync(request, 200, written);
                return;
            }
        }

        throw ApiException.Conflict(request.Resource, request.Name!);
    }

    private JsonObject FieldsOf(ApiRequest request, JsonObject applied, List<string> duplicates)
    {
        try
        {
            var checker = new FieldChecker(services.Schemas, request.Resource.Custom);
            checker.Check((JsonObject)applied.DeepClone(), request.Resource.Type);
            if (checker.Unknown.Count > 0)
            {
                throw new PatchException($".{checker.Unknown[0]}: field not declared in schema");
            }

            Decoder.CheckFields(request, applied, duplicates, services, problem => Decoder.CannotHandle(request, problem));
            return new FieldSet(services.Schemas).Of(applied, request.Resource.Type);
        }
        catch (PatchException problem)
        {
            var place = request.Namespace.Length == 0 ? request.Name : request.Namespace + "/" + request.Name;
            throw new ApiException(
                500,
                "",
                $"failed to create typed patch object ({place}; {request.ApiVersion}, Kind={request.Resource.Kind}): {problem.Message}");
        }
    }

    private JsonObject Create(ApiRequest request, JsonObject applied, string manager, JsonObject fields)
    {
        var tree = (JsonObject)applied.DeepClone();
        tree.Child("metadata")["name"] = request.Name;
        tree.Child("metadata")["managedFields"] = new JsonArray(Entry(request, manager, fields));
        return writer.Create(request, tree);
    }

    private JsonObject Merge(ApiRequest request, StoredObject current, JsonObject applied, string manager, JsonObject fields)
    {
        var live = request.View(current.Parse());
        var entries = live.At("metadata", "managedFields").Items().Select(item => (JsonObject)item.DeepClone()).ToList();
        var own = entries.Find(entry => IsApplier(entry, manager, request.Subresource));
        var others = entries.Where(entry => entry != own && entry.Text("operation") is Operation).ToList();
        Resolve(request, applied, live, fields, others);
        var set = new FieldSet(services.Schemas);
        var tree = (JsonObject)set.Merge(live, applied, null, services.Schemas.Find(request.Resource.Type))!;
        var before = own?["fieldsV1"] as JsonObject;
        if (before is not null)
        {
            FieldSet.Prune(tree, before, fields, [.. others.Select(entry => entry["fieldsV1"]).OfType<JsonObject>()]);
        }

        if (own is null)
        {
            entries.Add(Entry(request, manager, fields));
        }
        else if (!JsonNode.DeepEquals(before, fields))
        {
            entries[entries.IndexOf(own)] = Entry(request, manager, fields);
        }

        entries.RemoveAll(entry => entry["fieldsV1"] is JsonObject { Count: 0 });
        tree.Child("metadata")["managedFields"] = new JsonArray([.. entries]);
        return tree;
    }

    /// <summary>Refuses conflicts, or takes the fields from the others when the client insists.</summary>
    private static void Resolve(
        ApiRequest request, JsonObject applied, JsonObject live, JsonObject fields, List<JsonObject> others)
    {
        var conflicts = new List<(string Manager, string Field)>();
        foreach (var entry in others)
        {
            var found = new List<string>();
            FieldSet.Conflicts(fields, entry["fieldsV1"] as JsonObject ?? [], applied, live, "", found);
            conflicts.AddRange(found.Select(field => (entry.Text("manager") ?? "", field)));
            if (found.Count > 0 && request.QueryFlag("force") && request.Query("force") is not null)
            {
                FieldSet.Subtract(entry["fieldsV1"]!.AsObject(), fields);
                conflicts.RemoveAll(conflict => found.Contains(conflict.Field, StringComparer.Ordinal));
            }
        }

        if (conflicts.Count > 0)
        {
            throw Refusal(conflicts);
        }
    }

    private static ApiException Refusal(List<(string Manager, string Field)> conflicts)
    {
        var causes = new JsonArray();
        foreach (var (manager, field) in conflicts)
        {
            causes.Add(new JsonObject
            {
                ["reason"] = "FieldManagerConflict",
                ["message"] = $"conflict with \"{manager}\"",
                ["field"] = field,
            });
        }

        var text = conflicts.Count == 1
            ? $"1 conflict: conflict with \"{conflicts[0].Manager}\": {conflicts[0].Field}"
            : $"{conflicts.Count} conflicts: " + string.Join('\n', conflicts.GroupBy(item => item.Manager, StringComparer.Ordinal)
                .Select(group => $"conflicts with \"{group.Key}\":\n" + string.Join('\n', group.Select(item => "- " + item.Field))));
        return new ApiException(409, "Conflict", "Apply failed with " + text, new JsonObject { ["causes"] = causes });
    }

    private JsonObject Entry(ApiRequest request, string manager, JsonObject fields)
    {
        var entry = new JsonObject
        {
            ["manager"] = manager,
            ["operation"] = Operation,
            ["apiVersion"] = request.ApiVersion,
            ["time"] = JsonText.Timestamp(services.Clock.GetUtcNow()),
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = fields.DeepClone(),
        };
        if (request.Subresource is not null)
        {
            entry["subresource"] = request.Subresource;
        }

        return entry;
    }

    private static bool IsApplier(JsonObject entry, string manager, string? subresource) =>
        entry.Text("operation") is Operation && entry.Text("manager") == manager && entry.Text("subresource") == subresource;
}
