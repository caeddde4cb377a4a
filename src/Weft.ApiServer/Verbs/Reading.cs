// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Selectors;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Verbs;

/// <summary>Get and list, as objects, tables or metadata only.</summary>
internal sealed class Reading(ApiServices services)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<(string Resource, ResourceSnapshot Snapshot)> _openLists = new();

    public StoredObject Find(ApiRequest request) =>
        services.Store.Find(request.Resource.GroupResource, request.Namespace, request.Name!)
        ?? throw ApiException.NotFound(request.Resource, request.Name!);

    public Task GetAsync(ApiRequest request) => ShowAsync(request, 200, Find(request).Parse());

    /// <summary>Answers with one object in the form that the client accepts.</summary>
    public Task ShowAsync(ApiRequest request, int code, JsonObject tree)
    {
        var view = request.View(tree);
        Answer.Warn(request.Context, request.Warnings);
        return Form.Of(request.Context) switch
        {
            Form.Table => Answer.JsonAsync(request.Context, code, TableText.Of(
                request,
                [view],
                new JsonObject { ["resourceVersion"] = view.At("metadata", "resourceVersion").Text() ?? "" },
                services.Clock.GetUtcNow())),
            Form.Metadata => Answer.JsonAsync(request.Context, code, TableText.PartialObject(view)),
            _ => Answer.JsonAsync(request.Context, code, view),
        };
    }

    public async Task ListAsync(ApiRequest request)
    {
        var labels = LabelSelector.Parse(request.Query("labelSelector"));
        var fields = FieldSelector.Parse(request.Query("fieldSelector"), request.Resource);
        var limit = ReadLimit(request);
        var (snapshot, after) = Start(request);
        var page = new List<StoredObject>();
        var remaining = 0;
        foreach (var (key, item) in snapshot.Objects)
        {
            if ((after is { } last && key.CompareTo(last) <= 0) || !Selected(request, item, labels, fields))
            {
                continue;
            }

            if (limit > 0 && page.Count == limit)
            {
                remaining++;
                continue;
            }

            page.Add(item);
        }

        var metadata = new JsonObject
        {
            ["resourceVersion"] = snapshot.Version.ToString(CultureInfo.InvariantCulture),
        };
        if (remaining > 0)
        {
            metadata["continue"] = Continue(request, snapshot, page[^1].Key);
            if (labels.IsEmpty && fields.IsEmpty)
            {
                metadata["remainingItemCount"] = remaining;
            }
        }

        await WriteAsync(request, page, metadata);
    }

    public static bool Selected(ApiRequest request, StoredObject item, LabelSelector labels, FieldSelector fields) =>
        (request.Namespace.Length == 0 || string.Equals(request.Namespace, item.Key.Namespace, StringComparison.Ordinal))
        && (request.Name is null || string.Equals(request.Name, item.Key.Name, StringComparison.Ordinal))
        && (labels.IsEmpty || labels.Matches(item.Labels))
        && (fields.IsEmpty || fields.Matches(item));

    private async Task WriteAsync(ApiRequest request, List<StoredObject> page, JsonObject metadata)
    {
        Answer.Warn(request.Context, request.Warnings);
        switch (Form.Of(request.Context))
        {
            case Form.Table:
                var trees = page.Select(item => request.View(item.Parse()));
                await Answer.JsonAsync(request.Context, 200, TableText.Of(
                    request, trees, metadata, services.Clock.GetUtcNow()));
                return;
            case Form.Metadata:
                var items = page.Select(item => (JsonNode?)TableText.PartialObject(item.Parse())).ToArray();
                await Answer.JsonAsync(request.Context, 200, new JsonObject
                {
                    ["kind"] = "PartialObjectMetadataList",
                    ["apiVersion"] = "meta.k8s.io/v1",
                    ["metadata"] = metadata,
                    ["items"] = new JsonArray(items),
                });
                return;
            default:
                await Answer.BytesAsync(request.Context, 200, "application/json", ListBytes(request, page, metadata));
                return;
        }
    }

    private static byte[] ListBytes(ApiRequest request, List<StoredObject> page, JsonObject metadata)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", request.Resource.ListKind);
            writer.WriteString("apiVersion", request.ApiVersion);
            writer.WritePropertyName("metadata");
            metadata.WriteTo(writer);
            writer.WriteStartArray("items");
            var stored = request.Resource.CustomVersions is null
                && string.Equals(request.Version, request.Resource.StorageVersion, StringComparison.Ordinal);
            foreach (var item in page)
            {
                writer.WriteRawValue(stored ? item.Json : JsonText.Bytes(request.View(item.Parse())), skipInputValidation: true);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static int ReadLimit(ApiRequest request)
    {
        if (request.Query("limit") is not { Length: > 0 } text)
        {
            return 0;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            ? limit
            : throw ApiException.BadRequest($"limit: Invalid value: \"{text}\": must be a number, zero or more");
    }

    private (ResourceSnapshot Snapshot, ObjectKey? After) Start(ApiRequest request)
    {
        var resource = request.Resource.GroupResource;
        if (request.Query("continue") is not { Length: > 0 } token)
        {
            return (services.Store.Snapshot(resource), null);
        }

        var (version, after) = ReadToken(token);
        lock (_gate)
        {
            foreach (var (name, snapshot) in _openLists)
            {
                if (snapshot.Version == version && string.Equals(name, resource, StringComparison.Ordinal))
                {
                    return (snapshot, after);
                }
            }
        }

        throw ApiException.Expired(
            "The provided continue parameter is too old to display a consistent list result. " +
            "You must start a new list without the continue parameter.");
    }

    private string Continue(ApiRequest request, ResourceSnapshot snapshot, ObjectKey last)
    {
        var resource = request.Resource.GroupResource;
        lock (_gate)
        {
            if (!_openLists.Any(open => open.Snapshot.Version == snapshot.Version && open.Resource == resource))
            {
                _openLists.AddFirst((resource, snapshot));
                if (_openLists.Count > ApiLimits.OpenLists)
                {
                    _openLists.RemoveLast();
                }
            }
        }

        var token = new JsonObject { ["v"] = snapshot.Version, ["namespace"] = last.Namespace, ["name"] = last.Name };
        return Convert.ToBase64String(JsonText.Bytes(token)).Replace('+', '-').Replace('/', '_').TrimEnd('=');
    }

    private static (long Version, ObjectKey After) ReadToken(string token)
    {
        try
        {
            var padded = token.Replace('-', '+').Replace('_', '/').PadRight((token.Length + 3) / 4 * 4, '=');
            var tree = JsonText.ParseTrusted(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Convert.FromBase64String(padded))));
            return (tree.Number("v") ?? 0, new ObjectKey(tree.Text("namespace") ?? "", tree.Text("name") ?? ""));
        }
        catch (Exception problem) when (problem is FormatException or JsonException or InvalidOperationException)
        {
            throw ApiException.BadRequest($"continue key is not valid: {problem.Message}");
        }
    }
}
