// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>The numbers that bound a value: its size, its length, its count.</summary>
internal sealed record SchemaBounds
{
    public static SchemaBounds None { get; } = new();

    public double? Minimum { get; private init; }

    public bool AboveMinimum { get; private init; }

    public double? Maximum { get; private init; }

    public bool BelowMaximum { get; private init; }

    public double? MultipleOf { get; private init; }

    public long? MinLength { get; private init; }

    public long? MaxLength { get; private init; }

    public long? MinItems { get; private init; }

    public long? MaxItems { get; private init; }

    public long? MinProperties { get; private init; }

    public long? MaxProperties { get; private init; }

    public static SchemaBounds Read(JsonObject tree)
    {
        var bounds = new SchemaBounds
        {
            Minimum = Fraction(tree["minimum"]),
            AboveMinimum = tree.Flag("exclusiveMinimum") ?? false,
            Maximum = Fraction(tree["maximum"]),
            BelowMaximum = tree.Flag("exclusiveMaximum") ?? false,
            MultipleOf = Fraction(tree["multipleOf"]),
            MinLength = tree.Number("minLength"),
            MaxLength = tree.Number("maxLength"),
            MinItems = tree.Number("minItems"),
            MaxItems = tree.Number("maxItems"),
            MinProperties = tree.Number("minProperties"),
            MaxProperties = tree.Number("maxProperties"),
        };
        return bounds == None ? None : bounds;
    }

    public static double? Fraction(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<double>(out var fraction) ? fraction : node.Number();

    /// <summary>A number as messages show it.</summary>
    public static string Show(double number) => number == Math.Floor(number) && Math.Abs(number) < 1e15
        ? ((long)number).ToString(CultureInfo.InvariantCulture)
        : number.ToString("R", CultureInfo.InvariantCulture);
}
