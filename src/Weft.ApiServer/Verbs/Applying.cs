// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Patching;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Schema;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>Server-side apply: who applies a field owns it, and a field that somebody else owns is a conflict unless it is the same.</summary>
internal sealed class Applying(ApiServices services, ObjectWriter writer, Reading reading)
{
    private const string Operation = FieldOwnership.Apply;
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";
    private const string Kubectl = "kubectl";

    private static readonly ResourceDefinition _options = new()
    {
        Group = "meta.k8s.io",
        Versions = ["v1"],
        Plural = "patchoptions",
        Singular = "patchoptions",
        Kind = "PatchOptions",
        Type = "",
    };

    private readonly FieldOwnership _ownership = new(services.Schemas, services.Clock);

    public async Task RunAsync(ApiRequest request, byte[] body)
    {
        var manager = request.Query("fieldManager");
        if (string.IsNullOrEmpty(manager))
        {
            throw ApiException.Invalid(_options, "", [FieldError.Required("fieldManager", "is required for apply patch")]);
        }

        var duplicates = new List<string>();
        var applied = BodyReader.ReadYaml(body, duplicates, services.Options);
        Decoder.CheckKind(request, applied);
        if (applied.At("metadata", "managedFields") is not null)
        {
            throw ApiException.BadRequest("metadata.managedFields must be nil");
        }

        var fields = FieldsOf(request, applied, duplicates);
        for (var attempt = 0; attempt < ApiLimits.PatchAttempts; attempt++)
        {
            var current = services.Store.Find(request.Resource.StoredAs, request.Namespace, request.Name!);
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
            if (checker.Untyped is { } wrong)
            {
                throw new PatchException(wrong);
            }

            if (checker.Unknown.Count > 0)
            {
                throw new PatchException($".{checker.Unknown[0]}: field not declared in schema");
            }

            Decoder.CheckFields(request, applied, duplicates, services, problem => Decoder.CannotHandle(request, problem));
            return new FieldSet(services.Schemas).Of(applied, request.Resource.StoredType);
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
        tree.Child("metadata")["managedFields"] = new JsonArray(_ownership.Entry(request, manager, Operation, fields));
        return writer.Create(request, tree);
    }

    private JsonObject Merge(ApiRequest request, StoredObject current, JsonObject applied, string manager, JsonObject fields)
    {
        var live = request.SeesOtherShape ? current.Parse() : request.View(current.Parse());
        var entries = live.At("metadata", "managedFields").Items().Select(item => (JsonObject)item.DeepClone()).ToList();
        var own = entries.Find(entry => IsApplier(entry, manager, request.Subresource));
        var others = entries.Where(entry => entry != own).ToList();
        Resolve(request, applied, live, fields, others);
        var set = new FieldSet(services.Schemas);
        var tree = (JsonObject)set.Merge(live, applied, null, services.Schemas.Find(request.Resource.StoredType))!;
        var before = own?["fieldsV1"] as JsonObject;
        if (before is not null)
        {
            FieldSet.Prune(tree, before, fields, [.. others.Select(entry => entry["fieldsV1"]).OfType<JsonObject>()]);
        }

        if (own is null)
        {
            entries.Add(_ownership.Entry(request, manager, Operation, fields));
        }
        else if (!JsonNode.DeepEquals(before, fields))
        {
            entries[entries.IndexOf(own)] = _ownership.Entry(request, manager, Operation, fields);
        }

        if (manager is Kubectl && tree.At("metadata", "annotations", LastApplied) is not null)
        {
            tree.Child("metadata").Child("annotations")[LastApplied] = JsonText.String(Sorted(applied)) + "\n";
        }

        entries.RemoveAll(entry => entry["fieldsV1"] is JsonObject { Count: 0 });
        FieldOwnership.Write(tree.Child("metadata"), entries);
        return tree;
    }

    /// <summary>Refuses conflicts, or takes the fields from the others when the client insists.</summary>
    private void Resolve(
        ApiRequest request, JsonObject applied, JsonObject live, JsonObject fields, List<JsonObject> others)
    {
        var force = request.Query("force") is not null && request.QueryFlag("force");
        var mine = LastAppliedFields(request, live);
        var conflicts = new List<(string Manager, string Field)>();
        foreach (var entry in others)
        {
            var theirs = entry["fieldsV1"] as JsonObject ?? [];
            var found = new List<string>();
            var clashes = FieldSet.Conflicts(fields, theirs, applied, live, "", found);
            if (force)
            {
                FieldSet.Subtract(theirs, clashes);
                continue;
            }

            if (mine is not null && found.Count > 0)
            {
                // What kubectl once applied from its own side is its own: it takes that over.
                var taken = (JsonObject)clashes.DeepClone();
                FieldSet.Subtract(clashes, mine);
                FieldSet.Subtract(taken, clashes);
                FieldSet.Subtract(theirs, taken);
                found.Clear();
                FieldSet.Conflicts(clashes, clashes, applied, live, "", found);
            }

            conflicts.AddRange(found.Select(field => (Say(entry), field)));
        }

        if (conflicts.Count > 0)
        {
            throw Refusal(conflicts);
        }
    }

    /// <summary>The fields of kubectl's annotation, when kubectl asks.</summary>
    private JsonObject? LastAppliedFields(ApiRequest request, JsonObject live)
    {
        if (request.Query("fieldManager") is not Kubectl || live.At("metadata", "annotations", LastApplied).Text() is not { } text)
        {
            return null;
        }

        try
        {
            return new FieldSet(services.Schemas).Of(RequestBody.ParseObject(System.Text.Encoding.UTF8.GetBytes(text), []), request.Resource.Type);
        }
        catch (Exception problem) when (problem is ApiException or PatchException)
        {
            // Somebody wrote something else into the annotation: then it says nothing about ownership.
            return null;
        }
    }

    private static string Say(JsonObject entry)
    {
        var sub = entry.Text("subresource") is { } name ? $" with subresource \"{name}\"" : "";
        var version = entry.Text("operation") is FieldOwnership.Update ? $" using {entry.Text("apiVersion")}" : "";
        return $"\"{entry.Text("manager")}\"{sub}{version}";
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject tree => new JsonObject(tree.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => KeyValuePair.Create(pair.Key, Sorted(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    private static ApiException Refusal(List<(string Manager, string Field)> conflicts)
    {
        var causes = new JsonArray();
        foreach (var (manager, field) in conflicts)
        {
            causes.Add(new JsonObject
            {
                ["reason"] = "FieldManagerConflict",
                ["message"] = $"conflict with {manager}",
                ["field"] = field,
            });
        }

        var text = conflicts.Count == 1
            ? $"1 conflict: conflict with {conflicts[0].Manager}: {conflicts[0].Field}"
            : $"{conflicts.Count} conflicts: " + string.Join('\n', conflicts.GroupBy(item => item.Manager, StringComparer.Ordinal)
                .Select(group => $"conflicts with {group.Key}:\n" + string.Join('\n', group.Select(item => "- " + item.Field))));
        return new ApiException(409, "Conflict", "Apply failed with " + text, new JsonObject { ["causes"] = causes });
    }

    private static bool IsApplier(JsonObject entry, string manager, string? subresource) =>
        entry.Text("operation") is Operation && entry.Text("manager") == manager && entry.Text("subresource") == subresource;
}
