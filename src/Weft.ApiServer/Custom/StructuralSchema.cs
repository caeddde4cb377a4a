// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>
/// One node of a custom kind's schema: what a value may be, which fields it has, and what Kubernetes' extensions say of it.
/// The nodes inside <c>allOf</c>, <c>anyOf</c>, <c>oneOf</c> and <c>not</c> have the same shape without a type.
/// </summary>
internal sealed class StructuralSchema
{
    private static readonly Dictionary<string, StructuralSchema> _none = [];

    public string Type { get; private init; } = "";

    public string Format { get; private init; } = "";

    public bool Nullable { get; private init; }

    public bool PreserveUnknown { get; private init; }

    public bool IntOrString { get; private init; }

    public bool Embedded { get; private init; }

    public string? ListType { get; private init; }

    public string? MapType { get; private init; }

    public string[] MapKeys { get; private init; } = [];

    public JsonNode? Default { get; private init; }

    public IReadOnlyDictionary<string, StructuralSchema> Properties { get; private init; } = _none;

    public StructuralSchema? Items { get; private init; }

    /// <summary>What the values of a map are; null when the node is no map or its values may be anything.</summary>
    public StructuralSchema? Additional { get; private init; }

    public bool AnyAdditional { get; private init; }

    public string[] Required { get; private init; } = [];

    public JsonArray? Enum { get; private init; }

    public string? PatternText { get; private init; }

    /// <summary>Null when there is no pattern or it cannot be compiled, which the rules for definitions refuse.</summary>
    public Regex? Pattern { get; private init; }

    public SchemaBounds Bounds { get; private init; } = SchemaBounds.None;

    public StructuralSchema[] AllOf { get; private init; } = [];

    public StructuralSchema[] AnyOf { get; private init; } = [];

    public StructuralSchema[] OneOf { get; private init; } = [];

    public StructuralSchema? Not { get; private init; }

    /// <summary>The CEL rules of this node.</summary>
    public CustomRule[] Rules { get; private init; } = [];

    /// <summary>True when this node or one below it has CEL rules.</summary>
    public bool HasRules { get; private init; }

    /// <summary>True when this node or one below it has a default.</summary>
    public bool HasDefaults { get; private init; }

    public static StructuralSchema Read(JsonObject tree)
    {
        var properties = tree["properties"] is JsonObject fields
            ? fields.Where(pair => pair.Value is JsonObject)
                .ToDictionary(pair => pair.Key, pair => Read((JsonObject)pair.Value!), StringComparer.Ordinal)
            : _none;
        var items = tree["items"] is JsonObject item ? Read(item) : null;
        var additional = tree["additionalProperties"] is JsonObject values ? Read(values) : null;
        var rules = tree["x-kubernetes-validations"].Items().Select(CustomRule.Read).ToArray();
        StructuralSchema?[] children = [items, additional, .. properties.Values];
        var pattern = tree.Text("pattern");
        return new StructuralSchema
        {
            Type = tree.Text("type") ?? "",
            Format = tree.Text("format") ?? "",
            Nullable = tree.Flag("nullable") ?? false,
            PreserveUnknown = tree.Flag("x-kubernetes-preserve-unknown-fields") ?? false,
            IntOrString = tree.Flag("x-kubernetes-int-or-string") ?? false,
            Embedded = tree.Flag("x-kubernetes-embedded-resource") ?? false,
            ListType = tree.Text("x-kubernetes-list-type"),
            MapType = tree.Text("x-kubernetes-map-type"),
            MapKeys = Texts(tree["x-kubernetes-list-map-keys"]),
            Default = tree["default"]?.DeepClone(),
            Properties = properties,
            Items = items,
            Additional = additional,
            AnyAdditional = tree.Flag("additionalProperties") ?? false,
            Required = Texts(tree["required"]),
            Enum = tree["enum"] as JsonArray,
            PatternText = pattern,
            Pattern = string.IsNullOrEmpty(pattern) ? null : LinearPattern.TryCompile(pattern, out _),
            Bounds = SchemaBounds.Read(tree),
            AllOf = Many(tree["allOf"]),
            AnyOf = Many(tree["anyOf"]),
            OneOf = Many(tree["oneOf"]),
            Not = tree["not"] is JsonObject not ? Read(not) : null,
            Rules = rules,
            HasRules = rules.Length > 0 || children.Any(child => child is { HasRules: true }),
            HasDefaults = tree["default"] is not null || children.Any(child => child is { HasDefaults: true }),
        };
    }

    private static StructuralSchema[] Many(JsonNode? list) => [.. list.Items().Select(Read)];

    private static string[] Texts(JsonNode? list) =>
        list is JsonArray array ? [.. array.Select(item => item.Text() ?? "").Where(item => item.Length > 0)] : [];
}
