// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Expressions;

/// <summary>What expressions do with values: look inside, compare, add.</summary>
internal static class Values
{
    /// <summary>Scalars of JSON as plain values.</summary>
    public static object? Of(object? value) => value is not JsonValue json ? value : json.GetValueKind() switch
    {
        JsonValueKind.String => json.GetValue<string>(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => Number(json),
        _ => null,
    };

    private static object Number(JsonValue json)
    {
        if (json.TryGetValue<long>(out var whole))
        {
            return whole;
        }

        return json.TryGetValue<int>(out var small) ? (long)small : json.GetValue<double>();
    }

    public static bool IsList(object? value) => value is JsonArray or List<object?>;

    public static int Length(object? value) => value switch
    {
        string text => text.Length,
        JsonArray list => list.Count,
        JsonObject tree => tree.Count,
        ICollection items => items.Count,
        _ => 0,
    };

    public static List<object?> Items(object? value) => value switch
    {
        JsonArray list => [.. list.Select(item => Of(item))],
        List<object?> list => list,
        _ => throw new ExpressionException("no such overload"),
    };

    /// <summary>What a loop visits: items of a list, keys of a map; or both index and item.</summary>
    public static IEnumerable<(object? Key, object? Value)> Entries(object? target, bool both) => target switch
    {
        JsonObject tree => tree.Select(pair => ((object?)pair.Key, both ? Of(pair.Value) : pair.Key)),
        Dictionary<string, object?> map => map.Select(pair => ((object?)pair.Key, both ? pair.Value : pair.Key)),
        _ => Items(target).Select((item, index) => ((object?)(long)index, item)),
    };

    public static bool TryField(object? target, string name, out object? value)
    {
        value = null;
        switch (target)
        {
            case JsonObject tree when tree.TryGetPropertyValue(name, out var node):
                value = Of(node);
                return true;
            case Dictionary<string, object?> map:
                return map.TryGetValue(name, out value);
            case JsonObject:
                return false;
            default:
                throw new ExpressionException($"type '{TypeName.Of(target).Text}' does not support field selection");
        }
    }

    public static bool TryItem(object? target, object? key, out object? value)
    {
        value = null;
        if (!IsList(target))
        {
            return TryField(target, Show(key), out value);
        }

        var items = Items(target);
        if (key is not long index || index < 0 || index >= items.Count)
        {
            return false;
        }

        value = items[(int)index];
        return true;
    }

    public static object Combine(string sign, object? left, object? right)
    {
        switch (sign)
        {
            case "==":
                return Same(left, right);
            case "!=":
                return !Same(left, right);
            case "in":
                return right is JsonObject or Dictionary<string, object?>
                    ? TryField(right, Show(left), out _)
                    : Items(right).Exists(item => Same(item, left));
            case "<" or "<=" or ">" or ">=":
                var order = Order(left, right);
                return sign switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
            default:
                return Arithmetic(sign, left, right);
        }
    }

    public static bool Same(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (null, _) or (_, null) => false,
        (long a, double b) => a == b,
        (double a, long b) => a == b,
        _ when IsList(left) && IsList(right) => SameLists(Items(left), Items(right)),
        _ when IsMap(left) && IsMap(right) => SameMaps(left, right),
        _ => left.Equals(right),
    };

    public static int Order(object? left, object? right) => (left, right) switch
    {
        (long a, long b) => a.CompareTo(b),
        (long or double, long or double) => Convert.ToDouble(left, CultureInfo.InvariantCulture)
            .CompareTo(Convert.ToDouble(right, CultureInfo.InvariantCulture)),
        (string a, string b) => string.CompareOrdinal(a, b),
        (bool a, bool b) => a.CompareTo(b),
        (TimeSpan a, TimeSpan b) => a.CompareTo(b),
        (DateTimeOffset a, DateTimeOffset b) => a.CompareTo(b),
        _ => throw new ExpressionException("no such overload"),
    };

    public static string Show(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        string text => text,
        double fraction => fraction.ToString("R", CultureInfo.InvariantCulture),
        TimeSpan span => span.TotalSeconds.ToString("R", CultureInfo.InvariantCulture) + "s",
        JsonNode node => JsonText.String(node),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static bool IsMap(object? value) => value is JsonObject or Dictionary<string, object?>;

    private static bool SameLists(List<object?> left, List<object?> right) =>
        left.Count == right.Count && left.Zip(right).All(pair => Same(pair.First, pair.Second));

    private static bool SameMaps(object left, object right)
    {
        var entries = Entries(left, both: true).ToList();
        return entries.Count == Length(right)
            && entries.TrueForAll(entry => TryField(right, (string)entry.Key!, out var other) && Same(entry.Value, other));
    }

    private static object Arithmetic(string sign, object? left, object? right)
    {
        try
        {
            return (sign, left, right) switch
            {
                ("+", long a, long b) => checked(a + b),
                ("-", long a, long b) => checked(a - b),
                ("*", long a, long b) => checked(a * b),
                ("/" or "%", long, 0L) => throw new ExpressionException(sign is "/" ? "division by zero" : "modulus by zero"),
                ("/", long a, long b) => checked(a / b),
                ("%", long a, long b) => b == -1 ? 0L : a % b,
                ("+", string a, string b) => Joined(a, b),
                ("+", TimeSpan a, TimeSpan b) => a + b,
                ("-", TimeSpan a, TimeSpan b) => a - b,
                ("+", DateTimeOffset a, TimeSpan b) => a + b,
                ("-", DateTimeOffset a, TimeSpan b) => a - b,
                ("-", DateTimeOffset a, DateTimeOffset b) => a - b,
                ("+", _, _) when IsList(left) && IsList(right) => (List<object?>)[.. Items(left), .. Items(right)],
                (_, long or double, long or double) => Fractions(
                    sign, Convert.ToDouble(left, CultureInfo.InvariantCulture), Convert.ToDouble(right, CultureInfo.InvariantCulture)),
                _ => throw new ExpressionException("no such overload"),
            };
        }
        catch (Exception beyond) when (beyond is OverflowException or ArgumentOutOfRangeException)
        {
            throw new ExpressionException("integer overflow");
        }
    }

    private static string Joined(string left, string right) => left.Length + right.Length <= ApiLimits.BodyBytes
        ? new StringBuilder(left).Append(right).ToString()
        : throw new ExpressionException("operation cancelled: actual cost limit exceeded");

    private static double Fractions(string sign, double left, double right) => sign switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        _ => throw new ExpressionException("no such overload"),
    };
}
