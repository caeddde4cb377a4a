// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Globalization;
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
    private static readonly byte[] _comma = ","u8.ToArray();
    private static readonly TimeSpan _versionPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _versionStep = TimeSpan.FromMilliseconds(50);

    public StoredObject Find(ApiRequest request) =>
        services.Store.Find(request.Resource.StoredAs, request.Namespace, request.Name!)
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
        var options = ListOptions.Read(request, watch: false);
        var snapshot = await SnapshotAsync(request, options);
        var page = new List<StoredObject>();
        var remaining = 0;
        foreach (var (key, item) in snapshot.Objects)
        {
            if ((options.Continue is { } token && key.CompareTo(token.After) <= 0) || !Selected(request, item, options.Labels, options.Fields))
            {
                continue;
            }

            if (options.Limit > 0 && page.Count == options.Limit)
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
            metadata["continue"] = new ListOptions.ListToken(snapshot.Version, page[^1].Key).ToText(request.Namespace);
            if (options.Labels.IsEmpty && options.Fields.IsEmpty)
            {
                metadata["remainingItemCount"] = remaining;
            }
        }

        await WriteAsync(request, page, metadata);
    }

    /// <summary>Waits a little for a version that another server may have told the client of.</summary>
    public async Task WaitForAsync(long version, CancellationToken cancellationToken)
    {
        for (var waited = TimeSpan.Zero; services.Store.Version < version; waited += _versionStep)
        {
            if (waited >= _versionPatience)
            {
                throw ApiException.TooLargeVersion(version, services.Store.Version);
            }

            await Task.Delay(_versionStep, services.Clock, cancellationToken);
        }
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
                await WriteTableAsync(new LargeBody(request.Context), request, page, metadata);
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
                await WriteObjectsAsync(new LargeBody(request.Context), request, page, metadata);
                return;
        }
    }

    /// <summary>Stored bytes go out as they are, one object after the other: a list needs no memory of its own.</summary>
    private static async Task WriteObjectsAsync(LargeBody body, ApiRequest request, List<StoredObject> page, JsonObject metadata)
    {
        var head = new JsonObject { ["kind"] = request.Resource.ListKind, ["apiVersion"] = request.ApiVersion, ["metadata"] = metadata };
        await body.WriteAsync(JsonText.Bytes(head).AsMemory()[..^1]);
        await body.WriteAsync(",\"items\":["u8.ToArray());
        var stored = request.SeesStored;
        var comma = false;
        foreach (var item in page)
        {
            if (comma)
            {
                await body.WriteAsync(_comma);
            }

            comma = true;
            await body.WriteAsync(stored ? item.Json : JsonText.Bytes(request.View(item.Parse())));
        }

        await body.WriteAsync("]}"u8.ToArray());
        await body.EndAsync();
    }

    private async Task WriteTableAsync(LargeBody body, ApiRequest request, List<StoredObject> page, JsonObject metadata)
    {
        var now = services.Clock.GetUtcNow();

        // Without rows it ends with an empty list, which is opened here.
        await body.WriteAsync(JsonText.Bytes(TableText.Of(request, [], metadata, now)).AsMemory()[..^2]);
        var row = new ArrayBufferWriter<byte>(4096);
        await using var writer = new Utf8JsonWriter(row, JsonText.Compact);
        var comma = false;
        foreach (var item in page)
        {
            TableText.WriteRow(writer, request, request.View(item.Parse()), now);
            await writer.FlushAsync(request.Aborted);
            if (comma)
            {
                await body.WriteAsync(_comma);
            }

            comma = true;
            await body.WriteAsync(row.WrittenMemory);
            row.ResetWrittenCount();
            writer.Reset();
        }

        await body.WriteAsync("]}"u8.ToArray());
        await body.EndAsync();
    }

    private async Task<ResourceSnapshot> SnapshotAsync(ApiRequest request, ListOptions options)
    {
        var resource = request.Resource.StoredAs;
        if (options.Continue is { IsAnyMoment: false } token)
        {
            return services.Store.SnapshotAt(resource, token.Version)
                ?? throw ApiException.ExpiredToken(token.AtAnyMoment().ToText(request.Namespace));
        }

        await WaitForAsync(options.Version, request.Aborted);
        return options.IsExact
            ? services.Store.SnapshotAt(resource, options.Version)
                ?? throw ApiException.Expired("The resourceVersion for the provided list is too old.")
            : services.Store.Snapshot(resource);
    }
}
