// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Schema;

namespace Weft.ApiServer.Patching;

/// <summary>Keeps metadata.managedFields when objects are created and updated: who changes a field owns it, and nobody else.</summary>
internal sealed class FieldOwnership(SchemaSet schemas, TimeProvider clock)
{
    public const string Update = "Update";
    public const string Apply = "Apply";

    private const string Ancient = "ancient-changes";

    /// <summary>Notes what the request changed; <paramref name="old"/> is null for a new object.</summary>
    public void Note(ApiRequest request, JsonObject? old, JsonObject tree)
    {
        var metadata = tree.Child("metadata");
        var entries = Base(old, metadata);
        var (changed, removed) = new FieldChanges(schemas).Between(old, tree, request.Resource.StoredType);
        foreach (var entry in entries)
        {
            if (entry["fieldsV1"] is JsonObject fields)
            {
                FieldSet.Subtract(fields, removed);
                if (!IsOwn(entry, request))
                {
                    FieldSet.Subtract(fields, changed);
                }
            }
        }

        if (changed.Count > 0)
        {
            Own(request, entries, changed);
        }

        entries.RemoveAll(entry => entry["fieldsV1"] is not JsonObject { Count: > 0 });
        Write(metadata, Capped(entries));
    }

    /// <summary>Appliers first, then the oldest first.</summary>
    public static void Write(JsonObject metadata, List<JsonObject> entries)
    {
        metadata.Remove("managedFields");
        if (entries.Count == 0)
        {
            return;
        }

        metadata["managedFields"] = new JsonArray([.. entries
            .OrderBy(entry => entry.Text("operation"), StringComparer.Ordinal)
            .ThenBy(entry => entry.Text("time"), StringComparer.Ordinal)
            .ThenBy(entry => entry.Text("manager"), StringComparer.Ordinal)
            .ThenBy(entry => entry.Text("apiVersion"), StringComparer.Ordinal)
            .ThenBy(entry => entry.Text("subresource") ?? "", StringComparer.Ordinal)
            .Select(entry => entry.Parent is null ? entry : (JsonObject)entry.DeepClone())]);
    }

    public JsonObject Entry(ApiRequest request, string manager, string operation, JsonObject fields)
    {
        var entry = new JsonObject
        {
            ["manager"] = manager,
            ["operation"] = operation,
            ["apiVersion"] = request.ApiVersion,
            ["time"] = JsonText.Timestamp(clock.GetUtcNow()),
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = fields.DeepClone(),
        };
        if (request.Subresource is not null)
        {
            entry["subresource"] = request.Subresource;
        }

        return entry;
    }

    /// <summary>The name under which a client owns fields: what it says, else its program's name.</summary>
    private static string Manager(ApiRequest request)
    {
        if (request.Query("fieldManager") is { Length: > 0 } given)
        {
            return given;
        }

        var agent = request.Context.Request.Headers.UserAgent.ToString().Split('/')[0];
        return agent.Length == 0 ? "unknown" : agent[..Math.Min(agent.Length, ApiLimits.ManagerLength)];
    }

    /// <summary>What the client sent, since it may hand ownership over; otherwise what is stored.</summary>
    private static List<JsonObject> Base(JsonObject? old, JsonObject metadata)
    {
        var given = metadata["managedFields"] as JsonArray ?? old.At("metadata", "managedFields");
        return [.. given.Items().Where(entry => entry.Count > 0).Select(entry => (JsonObject)entry.DeepClone())];
    }

    private static bool IsOwn(JsonObject entry, ApiRequest request) =>
        entry.Text("operation") is Update && entry.Text("manager") == Manager(request)
        && entry.Text("apiVersion") == request.ApiVersion && entry.Text("subresource") == request.Subresource;

    private void Own(ApiRequest request, List<JsonObject> entries, JsonObject changed)
    {
        if (entries.Find(entry => IsOwn(entry, request)) is { } own)
        {
            FieldChanges.Add(own.Child("fieldsV1"), changed);
            own["time"] = JsonText.Timestamp(clock.GetUtcNow());
            return;
        }

        entries.Add(Entry(request, Manager(request), Update, changed));
    }

    /// <summary>Updaters beyond the limit are remembered together.</summary>
    private static List<JsonObject> Capped(List<JsonObject> entries)
    {
        var updaters = entries.Where(entry => entry.Text("operation") is Update)
            .OrderBy(entry => entry.Text("time"), StringComparer.Ordinal).ToList();
        if (updaters.Count <= ApiLimits.UpdateManagers)
        {
            return entries;
        }

        var oldest = updaters.Take(updaters.Count - ApiLimits.UpdateManagers + 1).ToList();
        var merged = oldest[0];
        merged["manager"] = Ancient;
        merged.Remove("subresource");
        foreach (var entry in oldest.Skip(1))
        {
            FieldChanges.Add(merged.Child("fieldsV1"), entry["fieldsV1"] as JsonObject ?? []);
            merged["time"] = entry.Text("time");
            entries.Remove(entry);
        }

        return entries;
    }
}
