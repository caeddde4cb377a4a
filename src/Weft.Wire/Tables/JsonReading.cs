// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;

namespace Weft.Wire.Tables;

/// <summary>Reading of JSON in which anything may be missing: what is not there is empty.</summary>
internal static class JsonReading
{
    public static JsonElement Child(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var child) ? child : default;

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        element.Child(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    public static string Text(this JsonElement element, string name) =>
        element.Child(name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";

    public static int Number(this JsonElement element, string name) =>
        element.Child(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) ? value : 0;

    public static bool Flag(this JsonElement element, string name) => element.Child(name).ValueKind == JsonValueKind.True;

    public static IReadOnlyList<string> Texts(this JsonElement element, string name) =>
        [.. element.Items(name).Where(i => i.ValueKind == JsonValueKind.String).Select(i => i.GetString()!)];

    /// <summary><c>name.namespace</c> of the Istio object that shaped a resource; empty if none is named.</summary>
    public static string IstioObject(this JsonElement resource, string kind)
    {
        var path = resource.Child("metadata").Child("filter_metadata").Child("istio").Text("config").Split('/');
        return path is [_, _, _, _, _, var ns, var type, var name] && type == kind ? $"{name}.{ns}" : "";
    }
}
