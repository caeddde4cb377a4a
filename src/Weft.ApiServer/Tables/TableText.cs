// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Tables;

/// <summary>Objects → meta.k8s.io/v1 Table.</summary>
internal static class TableText
{
    private const string PartialKind = "PartialObjectMetadata";
    private const string PartialVersion = "meta.k8s.io/v1";

    public static JsonObject Of(
        ApiRequest request, IEnumerable<JsonObject> items, JsonObject metadata, DateTimeOffset now, TableLayout? layout = null)
    {
        // None, Metadata (when nothing is said) or Object.
        var includeObject = request.Query("includeObject");
        layout ??= TableLayout.For(request.Resource, request.Version);
        var columns = new JsonArray();
        foreach (var column in layout.Columns)
        {
            columns.Add(new JsonObject
            {
                ["name"] = column.Name,
                ["type"] = column.Type,
                ["format"] = column.Format,
                ["description"] = "",
                ["priority"] = column.Priority,
            });
        }

        var rows = new JsonArray();
        foreach (var item in items)
        {
            var row = new JsonObject { ["cells"] = layout.Cells(item, now) };
            if (includeObject is not "None")
            {
                row["object"] = includeObject is "Object" ? item.DeepClone() : PartialObject(item);
            }

            rows.Add(row);
        }

        return new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = metadata,
            ["columnDefinitions"] = columns,
            ["rows"] = rows,
        };
    }

    /// <summary>Writes one row of a table as text: of ten thousand rows no more than one is in memory.</summary>
    public static void WriteRow(Utf8JsonWriter writer, ApiRequest request, JsonObject item, DateTimeOffset now)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("cells");
        TableLayout.For(request.Resource, request.Version).Cells(item, now).WriteTo(writer);
        switch (request.Query("includeObject"))
        {
            case "None":
                break;
            case "Object":
                writer.WritePropertyName("object");
                item.WriteTo(writer);
                break;
            default:
                writer.WriteStartObject("object");
                writer.WriteString("kind", PartialKind);
                writer.WriteString("apiVersion", PartialVersion);
                writer.WritePropertyName("metadata");
                item["metadata"]!.WriteTo(writer);
                writer.WriteEndObject();
                break;
        }

        writer.WriteEndObject();
    }

    /// <summary>A table whose one row carries a bookmark.</summary>
    public static JsonObject Bookmark(ApiRequest request, JsonObject bookmark)
    {
        var table = Of(request, [], new JsonObject(), default);
        var cells = TableLayout.For(request.Resource, request.Version).Columns.Select(_ => (JsonNode?)JsonValue.Create("")).ToArray();
        table["metadata"] = bookmark["metadata"]!.DeepClone();
        table["rows"] = new JsonArray(new JsonObject { ["cells"] = new JsonArray(cells), ["object"] = bookmark });
        return table;
    }

    public static JsonObject PartialObject(JsonObject item) => new()
    {
        ["kind"] = PartialKind,
        ["apiVersion"] = PartialVersion,
        ["metadata"] = item["metadata"]!.DeepClone(),
    };
}
