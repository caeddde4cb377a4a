// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Storage;

/// <summary>One version of one object: immutable bytes in the storage version, and what selectors and owners need of it.</summary>
public sealed class StoredObject
{
    private static readonly Dictionary<string, string> _noLabels = [];

    private StoredObject(string resource, ObjectKey key, long version, byte[] json)
    {
        Resource = resource;
        Key = key;
        Version = version;
        Json = json;
    }

    public string Resource { get; }

    public ObjectKey Key { get; }

    public long Version { get; }

    public byte[] Json { get; }

    public string Uid { get; private init; } = "";

    public bool Deleting { get; private init; }

    public IReadOnlyDictionary<string, string> Labels { get; private init; } = _noLabels;

    public IReadOnlyList<string> OwnerUids { get; private init; } = [];

    /// <summary>A fresh tree that the caller may change.</summary>
    public JsonObject Parse() => JsonText.ParseTrusted(Json);

    /// <summary>Serializes <paramref name="tree"/> after it was given <paramref name="version"/>.</summary>
    public static StoredObject Of(string resource, JsonObject tree, long version)
    {
        var metadata = tree["metadata"]!.AsObject();
        metadata["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        return Create(resource, tree, version, JsonText.Bytes(tree));
    }

    /// <summary>Restores what <see cref="Of"/> once wrote.</summary>
    public static StoredObject Restore(string resource, long version, byte[] json) =>
        Create(resource, JsonText.ParseTrusted(json), version, json);

    /// <summary>Restores what <see cref="Of"/> once wrote, with the version that it says.</summary>
    public static StoredObject Restore(string resource, byte[] json)
    {
        var tree = JsonText.ParseTrusted(json);
        var version = long.Parse(tree.At("metadata", "resourceVersion").Text() ?? "0", CultureInfo.InvariantCulture);
        return Create(resource, tree, version, json);
    }

    public static ObjectKey KeyOf(JsonObject tree) =>
        new(tree.At("metadata", "namespace").Text() ?? "", tree.At("metadata", "name").Text() ?? "");

    private static StoredObject Create(string resource, JsonObject tree, long version, byte[] json)
    {
        var metadata = tree["metadata"]!.AsObject();
        return new StoredObject(resource, KeyOf(tree), version, json)
        {
            Uid = metadata.Text("uid") ?? "",
            Deleting = metadata["deletionTimestamp"] is not null,
            Labels = LabelsOf(metadata),
            OwnerUids = OwnersOf(metadata),
        };
    }

    private static Dictionary<string, string> LabelsOf(JsonObject metadata)
    {
        if (metadata["labels"] is not JsonObject labels || labels.Count == 0)
        {
            return _noLabels;
        }

        var result = new Dictionary<string, string>(labels.Count, StringComparer.Ordinal);
        foreach (var (name, value) in labels)
        {
            result[name] = value.Text() ?? "";
        }

        return result;
    }

    private static string[] OwnersOf(JsonObject metadata) =>
        metadata["ownerReferences"] is JsonArray owners
            ? [.. owners.OfType<JsonObject>().Select(owner => owner.Text("uid") ?? "")]
            : [];
}
