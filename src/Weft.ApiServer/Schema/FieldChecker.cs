// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Schema;

/// <summary>
/// Makes an object fit its type: unknown fields are taken out and named, nulls vanish, and values of the wrong type are
/// reported.
/// </summary>
public sealed class FieldChecker(SchemaSet schemas, bool custom)
{
    private static readonly SearchValues<char> _base64 =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n");

    /// <summary>Stands before the keys of maps in a path: a dot in our errors, left out of the decoder's.</summary>
    private const char KeyMark = '\u0001';

    private readonly List<string> _unknown = [];
    private readonly List<FieldError> _errors = [];

    /// <summary>Paths of fields that the type does not have.</summary>
    public IReadOnlyList<string> Unknown => _unknown;

    /// <summary>Fields of a custom kind that break its schema.</summary>
    public IReadOnlyList<FieldError> Errors => _errors;

    /// <summary>The first value of a built-in kind that cannot be decoded, in the decoder's words.</summary>
    public string? Undecodable { get; private set; }

    /// <summary>The same in the words of server-side apply.</summary>
    public string? Untyped { get; private set; }

    public void Check(JsonObject tree, string typeName) => CheckObject(tree, schemas.Get(typeName), "");

    private void CheckObject(JsonObject tree, ObjectSchema type, string path)
    {
        foreach (var name in tree.Select(pair => pair.Key).ToArray())
        {
            var inner = path.Length == 0 ? name : path + "." + name;
            if (!type.Fields.TryGetValue(name, out var field))
            {
                if (type.Open)
                {
                    continue;
                }

                _unknown.Add(Shown(inner));
                tree.Remove(name);
                continue;
            }

            var value = tree[name];
            if (value is null && field.Type.Kind != ValueKind.Any)
            {
                tree.Remove(name);
                continue;
            }

            CheckValue(value, field.Type, inner, type.Name, field);
        }

        if (!custom || path.StartsWith("metadata", StringComparison.Ordinal))
        {
            return;
        }

        foreach (var field in type.Fields.Values)
        {
            if (field.Required && !tree.ContainsKey(field.Name))
            {
                _errors.Add(FieldError.Required(Shown(path.Length == 0 ? field.Name : path + "." + field.Name)));
            }
        }
    }

    private void CheckValue(JsonNode? value, TypeReference type, string path, string owner, FieldSchema field)
    {
        switch (type.Kind)
        {
            case ValueKind.Any:
                return;
            case ValueKind.Object when value is JsonObject tree:
                CheckObject(tree, schemas.Get(type.TypeName!), path);
                return;
            case ValueKind.List when value is JsonArray array:
                for (var i = 0; i < array.Count; i++)
                {
                    var item = path + "[" + i.ToString(CultureInfo.InvariantCulture) + "]";
                    CheckValue(array[i], type.Element!, item, owner, field);
                }

                return;
            case ValueKind.Map when value is JsonObject map:
                foreach (var (name, item) in map.ToArray())
                {
                    CheckValue(item, type.Element!, path + KeyMark + name, owner, field);
                }

                return;
            default:
                if (type.Kind == ValueKind.Bytes && value.Text() is { } text && BadBase64(text) is { } at)
                {
                    Undecodable ??= $"illegal base64 data at input byte {at}";
                }
                else if (!Fits(value, type.Kind))
                {
                    Mismatch(value, type, path, owner);
                }
                else if (field.Values.Length > 0 && !field.Values.Contains(value.Text(), StringComparer.Ordinal))
                {
                    _errors.Add(FieldError.NotSupported(Shown(path), value.Text() ?? "", field.Values));
                }

                return;
        }
    }

    private static bool Fits(JsonNode? value, ValueKind kind)
    {
        var json = value?.GetValueKind() ?? JsonValueKind.Null;
        return kind switch
        {
            ValueKind.String or ValueKind.Bytes => json == JsonValueKind.String,
            ValueKind.Bool => json is JsonValueKind.True or JsonValueKind.False,
            ValueKind.Int or ValueKind.Long => json == JsonValueKind.Number && value.Number() is not null,
            ValueKind.Number => json == JsonValueKind.Number,
            ValueKind.Quantity or ValueKind.IntOrString => json is JsonValueKind.String or JsonValueKind.Number,
            ValueKind.Time or ValueKind.MicroTime => json == JsonValueKind.String && IsTime(value.Text()!),
            _ => false,
        };
    }

    /// <summary>Where the text stops being base64; null when it never does.</summary>
    private static int? BadBase64(string text)
    {
        if (Convert.TryFromBase64String(text, new byte[text.Length], out _))
        {
            return null;
        }

        var at = text.AsSpan().IndexOfAnyExcept(_base64);
        return at < 0 ? text.Length / 4 * 4 : at;
    }

    private static bool IsTime(string text) => DateTimeOffset.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out _);

    private void Mismatch(JsonNode? value, TypeReference type, string path, string owner)
    {
        var found = value?.GetValueKind() switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.Number when custom => value.Number() is null ? "number" : "integer",
            JsonValueKind.Number => value.Number() is null ? "number " + JsonText.String(value) : "number",
            JsonValueKind.True or JsonValueKind.False => custom ? "boolean" : "bool",
            _ => "null",
        };
        if (custom)
        {
            var wanted = OpenApiName(type.Kind);
            path = Shown(path);
            _errors.Add(FieldError.Invalid(path, found, $"{path} in body must be of type {wanted}: \"{found}\""));
            return;
        }

        var owningType = owner[(owner.IndexOf('.', StringComparison.Ordinal) + 1)..];
        Untyped ??= $".{path}: {Expected(value, type)}";
        Undecodable ??= $"json: cannot unmarshal {found} into Go struct field {owningType}.{WithoutIndexes(path)} of type {GoName(type)}";
    }

    private static string Shown(string path) => path.Replace(KeyMark, '.');

    private static string WithoutIndexes(string path)
    {
        var result = new System.Text.StringBuilder(path.Length);
        var inside = false;
        foreach (var letter in path)
        {
            // A key ends with the path's next dot.
            inside = letter is '[' or KeyMark || (inside && letter is not (']' or '.'));
            if (!inside && letter != ']')
            {
                result.Append(letter);
            }
        }

        return result.ToString();
    }

    private static string Expected(JsonNode? value, TypeReference type) => type.Kind switch
    {
        ValueKind.Int or ValueKind.Long or ValueKind.Number => "expected numeric (int or float), got " + value?.GetValueKind() switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "bool",
            JsonValueKind.Array => "[]interface {}",
            JsonValueKind.Object => "map[string]interface {}",
            _ => "float64",
        },
        ValueKind.Bool => $"expected boolean, got &value.valueUnstructured{{Value:{JsonText.String(value)}}}",
        ValueKind.List => $"expected list, got &value.valueUnstructured{{Value:{JsonText.String(value)}}}",
        ValueKind.Map or ValueKind.Object => $"expected map, got &value.valueUnstructured{{Value:{JsonText.String(value)}}}",
        _ => $"expected string, got &value.valueUnstructured{{Value:{JsonText.String(value)}}}",
    };

    private static string OpenApiName(ValueKind kind) => kind switch
    {
        ValueKind.Int or ValueKind.Long => "integer",
        ValueKind.Number => "number",
        ValueKind.Bool => "boolean",
        ValueKind.List => "array",
        ValueKind.Map or ValueKind.Object => "object",
        _ => "string",
    };

    private static string GoName(TypeReference type) => type.Kind switch
    {
        ValueKind.Int => "int32",
        ValueKind.Long => "int64",
        ValueKind.Number => "float64",
        ValueKind.Bool => "bool",
        ValueKind.String => "string",
        ValueKind.Bytes => "[]uint8",
        ValueKind.List => "[]" + GoName(type.Element!),
        ValueKind.Map => "map[string]" + GoName(type.Element!),
        ValueKind.Object => "v1." + type.TypeName![(type.TypeName!.IndexOf('.', StringComparison.Ordinal) + 1)..],
        ValueKind.Quantity => "resource.Quantity",
        ValueKind.IntOrString => "intstr.IntOrString",
        _ => "v1." + type.Kind,
    };
}
