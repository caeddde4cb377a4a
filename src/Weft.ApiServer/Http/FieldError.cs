// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Http;

/// <summary>What is wrong with one field, in the words that Kubernetes uses.</summary>
public sealed record FieldError(string Field, string Reason, string Detail)
{
    public static FieldError Required(string field, string detail = "") =>
        new(field, "FieldValueRequired", detail.Length == 0 ? "Required value" : "Required value: " + detail);

    public static FieldError Invalid(string field, object? value, string detail) =>
        new(field, "FieldValueInvalid", $"Invalid value: {Show(value)}: {detail}");

    public static FieldError NotSupported(string field, string value, params IEnumerable<string> allowed) =>
        new(
            field,
            "FieldValueNotSupported",
            $"Unsupported value: \"{value}\": supported values: {string.Join(", ", allowed.Select(item => $"\"{item}\""))}");

    public static FieldError Duplicate(string field, object value) =>
        new(field, "FieldValueDuplicate", $"Duplicate value: {Show(value)}");

    public static FieldError NotFound(string field, object value) =>
        new(field, "FieldValueNotFound", $"Not found: {Show(value)}");

    public static FieldError Forbidden(string field, string detail) => new(field, "FieldValueForbidden", $"Forbidden: {detail}");

    public static FieldError TypeInvalid(string field, object? value, string detail) =>
        new(field, "FieldValueTypeInvalid", $"Invalid value: {Show(value)}: {detail}");

    public static FieldError TooMany(string field, long count, long limit) =>
        new(field, "FieldValueTooMany", $"Too many: {count}: must have at most {limit} items");

    public static FieldError TooLongText(string field, long limit) =>
        new(field, "FieldValueTooLong", $"Too long: may not be longer than {limit}");

    public static FieldError TooLong(string field, long limit) =>
        new(field, "FieldValueTooLong", $"Too long: must have at most {limit} bytes");

    public override string ToString() => $"{Field}: {Detail}";

    private static string Show(object? value) => value switch
    {
        null => "null",
        string text => "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal) + "\"",
        bool flag => flag ? "true" : "false",
        Verbatim verbatim => verbatim.Text,
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "",
    };
}

/// <summary>A value that is shown as it stands, without quotes.</summary>
public sealed record Verbatim(string Text);
