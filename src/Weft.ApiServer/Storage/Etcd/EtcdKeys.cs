// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Storage.Etcd;

/// <summary>
/// Names and values in etcd: PREFIX objects/RESOURCE/NAMESPACE/NAME holds an object's JSON without its version, which is the
/// key's revision. All texts here are base64, as etcd's JSON wants bytes.
/// </summary>
internal sealed class EtcdKeys(string prefix)
{
    private readonly string _objects = prefix + "objects/";

    /// <summary>Every key of this store.</summary>
    public (string From, string End) All => Range(prefix);

    /// <summary>Every object of this store.</summary>
    public (string From, string End) Objects => Range(_objects);

    public string Layout => Encode(prefix + "layout");

    /// <summary>Written by every server that starts.</summary>
    public string Start => Encode(prefix + "start");

    public string Of(string resource, ObjectKey key) => Encode($"{_objects}{resource}/{key.Namespace}/{key.Name}");

    public (string From, string End) RangeOf(string resource) => Range($"{_objects}{resource}/");

    /// <summary>The resource and key that a name in etcd stands for; null when it is no object's.</summary>
    public (string Resource, ObjectKey Key)? Parse(string encoded)
    {
        var name = Decode(encoded);
        return name.StartsWith(_objects, StringComparison.Ordinal) && name[_objects.Length..].Split('/') is [var resource, var ns, var last]
            ? (resource, new ObjectKey(ns, last))
            : null;
    }

    public static string Value(JsonObject tree)
    {
        var stored = tree.DeepClone().AsObject();
        stored.Child("metadata").Remove("resourceVersion");
        return Convert.ToBase64String(JsonText.Bytes(stored));
    }

    /// <summary>One condition of a transaction.</summary>
    public static JsonObject Compare(string target, string result, string key, string field, long value) =>
        new() { ["target"] = target, ["result"] = result, ["key"] = key, [field] = $"{value}" };

    public static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    public static string Decode(string encoded) => Encoding.UTF8.GetString(Convert.FromBase64String(encoded));

    /// <summary>Etcd's JSON writes long numbers as text.</summary>
    public static long Number(JsonNode? node) =>
        long.TryParse(node.Text(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    public static long Revision(JsonNode? header) => Number(header.At("revision"));

    /// <summary>The first name after all that begin so: the last character, one further.</summary>
    private static (string From, string End) Range(string start) =>
        (Encode(start), Encode(start[..^1] + (char)(start[^1] + 1)));
}
