// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>
/// Compares a value with its schema and words every difference as Kubernetes does. Of several alternatives none of which fits,
/// the errors of the one that came furthest are shown.
/// </summary>
internal static class SchemaValidator
{
    public static List<FieldError> Check(StructuralSchema schema, JsonNode? value) => Visit(schema, value, "").Errors;

    /// <summary>What one schema said: its errors, and how many checks were made, which measures how near an alternative came.</summary>
    private sealed class Finding
    {
        public List<FieldError> Errors { get; } = [];

        public int Checks { get; set; }

        public void Take(Finding other)
        {
            Errors.AddRange(other.Errors);
            Checks += other.Checks;
        }
    }

    private static Finding Visit(StructuralSchema schema, JsonNode? value, string path)
    {
        var found = new Finding { Checks = 3 };
        Type(schema, value, path, found);
        if (value is null)
        {
            Values(schema, value, path, found);
            return found;
        }

        Alternatives(schema, value, path, found);
        switch (value)
        {
            case JsonObject tree:
                Values(schema, value, path, found);
                Object(schema, tree, path, found);
                break;
            case JsonArray list:
                List(schema, list, path, found);
                Values(schema, value, path, found);
                break;
            default:
                Scalar(schema, value, path, found);
                Values(schema, value, path, found);
                break;
        }

        return found;
    }

    private static void Type(StructuralSchema schema, JsonNode? value, string path, Finding found)
    {
        var (kind, format) = KindOf(value);
        string[] wanted = schema.Type.Length > 0 ? [schema.Type] : schema.IntOrString ? ["integer", "string"] : [];
        if (wanted.Length == 0 || (kind is "null" && schema.Nullable))
        {
            return;
        }

        var whole = kind is "number" && value.Number() is not null && wanted.Contains("integer", StringComparer.Ordinal);
        var fits = wanted.Contains(kind, StringComparer.Ordinal) || whole
            || (kind is "integer" && wanted.Contains("number", StringComparer.Ordinal));
        if (fits)
        {
            return;
        }

        // A value that is neither text nor list is measured against the format first.
        var byFormat = schema.Format.Length > 0 && kind is not ("string" or "array" or "null") && format != schema.Format;
        var (name, seen) = byFormat ? (schema.Format, format) : (string.Join(',', wanted), kind);
        found.Errors.Add(FieldError.TypeInvalid(Place(path), seen, $"{path} in body must be of type {name}: \"{seen}\""));
    }

    private static (string Kind, string Format) KindOf(JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.Object => ("object", ""),
        JsonValueKind.Array => ("array", ""),
        JsonValueKind.String => ("string", ""),
        JsonValueKind.True or JsonValueKind.False => ("boolean", ""),
        JsonValueKind.Number => IsWhole(value) ? ("integer", "int64") : ("number", "double"),
        _ => ("null", ""),
    };

    private static bool IsWhole(JsonNode value) => value is JsonValue number && (number.TryGetValue<long>(out _) || number.TryGetValue<int>(out _));

    private static void Alternatives(StructuralSchema schema, JsonNode value, string path, Finding found)
    {
        if (schema.AnyOf.Length > 0)
        {
            var results = schema.AnyOf.Select(inner => Visit(inner, value, path)).ToList();
            if (results.Find(result => result.Errors.Count == 0) is { } success)
            {
                found.Take(success);
            }
            else
            {
                found.Errors.Add(Whole($"\"{path}\" must validate at least one schema (anyOf)"));
                found.Take(results.MaxBy(result => result.Checks)!);
            }
        }

        if (schema.OneOf.Length > 0)
        {
            One(schema, value, path, found);
        }

        if (schema.AllOf.Length > 0)
        {
            var results = schema.AllOf.Select(inner => Visit(inner, value, path)).ToList();
            results.ForEach(found.Take);
            var valid = results.Count(result => result.Errors.Count == 0);
            if (valid < results.Count)
            {
                found.Errors.Add(Whole($"\"{path}\" must validate all the schemas (allOf){(valid == 0 ? ". None validated" : "")}"));
            }
        }

        if (schema.Not is { } not && Visit(not, value, path).Errors.Count == 0)
        {
            found.Errors.Add(Whole($"\"{path}\" must not validate the schema (not)"));
        }
    }

    private static void One(StructuralSchema schema, JsonNode value, string path, Finding found)
    {
        var results = schema.OneOf.Select(inner => Visit(inner, value, path)).ToList();
        var valid = results.Count(result => result.Errors.Count == 0);
        if (valid == 1)
        {
            found.Take(results.Find(result => result.Errors.Count == 0)!);
            return;
        }

        var seen = valid == 0 ? "Found none valid" : $"Found {valid} valid alternatives";
        found.Errors.Add(Whole($"\"{path}\" must validate one and only one schema (oneOf). {seen}"));
        if (valid == 0)
        {
            found.Take(results.MaxBy(result => result.Checks)!);
        }
    }

    private static void Object(StructuralSchema schema, JsonObject tree, string path, Finding found)
    {
        found.Checks++;
        var bounds = schema.Bounds;
        if (tree.Count < bounds.MinProperties)
        {
            found.Errors.Add(FieldError.Invalid(
                Place(path), tree.Count, $"{path} in body should have at least {bounds.MinProperties} properties"));
            return;
        }

        if (tree.Count > bounds.MaxProperties)
        {
            found.Errors.Add(FieldError.TooMany(Place(path), tree.Count, bounds.MaxProperties.Value));
            return;
        }

        foreach (var (name, value) in tree)
        {
            var inner = schema.Properties.GetValueOrDefault(name) ?? schema.Additional;
            if (inner is not null)
            {
                found.Take(Visit(inner, value, Join(path, name)));
            }
        }

        foreach (var name in schema.Required.Where(name => !tree.ContainsKey(name)))
        {
            found.Errors.Add(FieldError.Required(Join(path, name)));
        }
    }

    private static void List(StructuralSchema schema, JsonArray list, string path, Finding found)
    {
        found.Checks++;
        if (schema.Items is { } items)
        {
            for (var i = 0; i < list.Count; i++)
            {
                found.Take(Visit(items, list[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]")));
            }
        }

        if (list.Count < schema.Bounds.MinItems)
        {
            found.Errors.Add(FieldError.Invalid(
                Place(path), list.Count, $"{path} in body should have at least {schema.Bounds.MinItems} items"));
        }

        if (list.Count > schema.Bounds.MaxItems)
        {
            found.Errors.Add(FieldError.TooMany(Place(path), list.Count, schema.Bounds.MaxItems.Value));
        }
    }

    private static void Scalar(StructuralSchema schema, JsonNode value, string path, Finding found)
    {
        if (value.Text() is { } text)
        {
            Text(schema, text, path, found);
        }
        else if (SchemaBounds.Fraction(value) is { } number && value.GetValueKind() == JsonValueKind.Number)
        {
            Number(schema, value, number, path, found);
        }
    }

    private static void Text(StructuralSchema schema, string text, string path, Finding found)
    {
        found.Checks++;
        var bounds = schema.Bounds;
        if (bounds is { MinLength: not null } or { MaxLength: not null })
        {
            var length = text.EnumerateRunes().Count();
            if (length > bounds.MaxLength)
            {
                found.Errors.Add(FieldError.TooLongText(Place(path), bounds.MaxLength.Value));
            }

            if (length < bounds.MinLength)
            {
                found.Errors.Add(FieldError.Invalid(
                    Place(path), text, $"{path} in body should be at least {bounds.MinLength} chars long"));
            }
        }

        if (schema.Pattern is { } pattern && !pattern.IsMatch(text))
        {
            found.Errors.Add(FieldError.Invalid(Place(path), text, $"{path} in body should match '{schema.PatternText}'"));
        }

        if (schema.Format.Length > 0 && !ValueFormat.Fits(schema.Format, text))
        {
            found.Errors.Add(FieldError.TypeInvalid(
                Place(path), text, $"{path} in body must be of type {schema.Format}: \"{text}\""));
        }
    }

    private static void Number(StructuralSchema schema, JsonNode value, double number, string path, Finding found)
    {
        found.Checks++;
        var bounds = schema.Bounds;
        var shown = new Verbatim(JsonText.String(value));
        void Report(string what, double limit) => found.Errors.Add(
            FieldError.Invalid(Place(path), shown, $"{path} in body should be {what} {SchemaBounds.Show(limit)}"));
        if (bounds.MultipleOf is { } factor && factor > 0 && !IsMultiple(number, factor))
        {
            Report("a multiple of", factor);
        }

        if (bounds.Maximum is { } maximum && (bounds.BelowMaximum ? number >= maximum : number > maximum))
        {
            Report(bounds.BelowMaximum ? "less than" : "less than or equal to", maximum);
        }

        if (bounds.Minimum is { } minimum && (bounds.AboveMinimum ? number <= minimum : number < minimum))
        {
            Report(bounds.AboveMinimum ? "greater than" : "greater than or equal to", minimum);
        }

        if (schema.Type is "integer" && schema.Format is "int32" && number is > int.MaxValue or < int.MinValue)
        {
            found.Errors.Add(Whole($"Checked value must be of type integer with format int32 in {path}"));
        }
    }

    private static bool IsMultiple(double number, double factor)
    {
        var quotient = number / factor;
        return Math.Abs(quotient - Math.Round(quotient)) <= 1e-9 * Math.Max(1, Math.Abs(quotient));
    }

    private static void Values(StructuralSchema schema, JsonNode? value, string path, Finding found)
    {
        if (schema.Enum is not { } allowed || allowed.Any(item => JsonNode.DeepEquals(item, value)))
        {
            return;
        }

        var shown = allowed.Select(item => item.Text() ?? JsonText.String(item));
        found.Errors.Add(FieldError.NotSupported(Place(path), value.Text() ?? JsonText.String(value), shown));
    }

    /// <summary>An error of the object as a whole: where it is stands in its text.</summary>
    private static FieldError Whole(string detail) => FieldError.Invalid("<nil>", "", detail);

    private static string Place(string path) => path.Length == 0 ? "<nil>" : path;

    private static string Join(string path, string name) => path.Length == 0 ? name : path + "." + name;
}
