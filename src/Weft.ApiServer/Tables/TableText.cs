// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Tables;

/// <summary>Objects → meta.k8s.io/v1 Table.</summary>
internal static class TableText
{
    public static JsonObject Of(ApiRequest request, IEnumerable<JsonObject> items, JsonObject metadata, DateTimeOffset now)
    {
        // None, Metadata (when nothing is said) or Object.
        var includeObject = request.Query("includeObject");
        var layout = TableLayout.For(request.Resource, request.Version);
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
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = item["metadata"]!.DeepClone(),
    };
}
