// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Expressions;

/// <summary>The type of a value as far as it is known before there is one; <see cref="Dyn"/> may be anything.</summary>
internal sealed record Shape(string Kind)
{
    public const string ListKind = "list";
    public const string MapKind = "map";
    public const string ObjectKind = "object";
    public const string OptionalKind = "optional";

    public static readonly Shape Dyn = new("dyn");
    public static readonly Shape Bool = new("bool");
    public static readonly Shape Int = new("int");
    public static readonly Shape Double = new("double");
    public static readonly Shape Text = new("string");
    public static readonly Shape Null = new("null");
    public static readonly Shape Type = new("type");
    public static readonly Shape Duration = new("google.protobuf.Duration");
    public static readonly Shape Moment = new("google.protobuf.Timestamp");

    /// <summary>What a list or an optional holds, or the values of a map.</summary>
    public Shape? Item { get; init; }

    /// <summary>The fields of an object; others cannot be asked for.</summary>
    public IReadOnlyDictionary<string, Shape>? Fields { get; init; }

    public bool IsDyn => Kind is "dyn";

    public static Shape ListOf(Shape item) => new(ListKind) { Item = item };

    public static Shape MapOf(Shape value) => new(MapKind) { Item = value };

    public static Shape OptionalOf(Shape inner) => new(OptionalKind) { Item = inner };

    public static Shape Library(string name) => new(name);

    /// <summary>The shape of the values that a node of a schema allows.</summary>
    public static Shape Of(JsonObject schema, bool isRoot = false)
    {
        if (schema.Flag("x-kubernetes-int-or-string") ?? false)
        {
            return Dyn;
        }

        return schema.Text("type") switch
        {
            "boolean" => Bool,
            "integer" => Int,
            "number" => Double,
            "string" => OfText(schema.Text("format")),
            "array" => ListOf(schema["items"] is JsonObject items ? Of(items) : Dyn),
            "object" when schema["additionalProperties"] is JsonObject values => MapOf(Of(values)),
            "object" when schema["properties"] is JsonObject fields && (fields.Count > 0 || isRoot) => OfFields(schema, fields, isRoot),
            _ => Dyn,
        };
    }

    /// <summary>Whether a value of this shape may be one of the other.</summary>
    public bool Fits(Shape other) => IsDyn || other.IsDyn || this == Null || other == Null
        || (Kind == other.Kind && (Item is null || other.Item is null || Item.Fits(other.Item)));

    public override string ToString() => Kind switch
    {
        ListKind => $"list({Item})",
        MapKind => $"map(string, {Item})",
        OptionalKind => $"optional_type({Item})",
        _ => Kind,
    };

    private static Shape OfText(string? format) => format switch
    {
        "duration" => Duration,
        "date" or "date-time" => Moment,
        "byte" => Dyn,
        _ => Text,
    };

    private static Shape OfFields(JsonObject schema, JsonObject fields, bool isRoot)
    {
        var known = new Dictionary<string, Shape>(StringComparer.Ordinal);
        foreach (var (name, field) in fields)
        {
            if (field is JsonObject inner)
            {
                known[name] = Of(inner);
            }
        }

        if (isRoot || (schema.Flag("x-kubernetes-embedded-resource") ?? false))
        {
            known["apiVersion"] = Text;
            known["kind"] = Text;
            known["metadata"] = new Shape(ObjectKind)
            {
                Fields = new Dictionary<string, Shape>(StringComparer.Ordinal) { ["name"] = Text, ["generateName"] = Text },
            };
        }

        return new Shape(ObjectKind) { Fields = known };
    }
}
