// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Weft.ApiServer.Custom;

namespace Weft.ApiServer.Expressions;

/// <summary>The functions that rules may call: CEL's own, and Kubernetes' for strings, lists and patterns.</summary>
internal static partial class Functions
{
    private const int RememberedPatterns = 256;

    private static readonly ConcurrentDictionary<string, Regex> _patterns = new(StringComparer.Ordinal);

    public static void RequireFunction(string name) => Require(name, Signatures.HasFunction(name));

    public static void RequireMethod(string name) => Require(name, Signatures.HasMethod(name));

    public static object? Call(string name, object?[] arguments) => (name, arguments) switch
    {
        ("size", [var value]) => (long)Values.Length(value),
        ("dyn", [var value]) => value,
        ("type", [var value]) => TypeName.Of(value),
        ("string", [var value]) => Values.Show(value),
        ("bool", [bool flag]) => flag,
        ("bool", [string text]) => bool.TryParse(text, out var flag) ? flag : throw Bad("bool", text),
        ("int" or "uint", [long number]) => number,
        ("int" or "uint", [double fraction]) when Math.Abs(fraction) < 9.2e18 => (long)fraction,
        ("int" or "uint", [string text]) =>
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) ? parsed : throw Bad("int", text),
        ("double", [double fraction]) => fraction,
        ("double", [long number]) => (double)number,
        ("double", [string text]) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : throw Bad("double", text),
        ("duration", [TimeSpan span]) => span,
        ("duration", [string text]) => Duration(text),
        ("timestamp", [DateTimeOffset moment]) => moment,
        ("timestamp", [string text]) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment : throw Bad("timestamp", text),
        ("matches", [string text, string pattern]) => Pattern(pattern).IsMatch(text),
        _ when NetworkFunctions.TryCall(name, arguments, out var result) => result,
        _ => throw new ExpressionException($"no such overload: {name}"),
    };

    public static object? CallMethod(object? target, string name, object?[] arguments) => target switch
    {
        _ when name is "size" && arguments.Length == 0 => (long)Values.Length(target),
        Maybe maybe => Optional(maybe, name, arguments),
        _ when NetworkFunctions.Owns(target) => NetworkFunctions.CallMethod(target!, name, arguments),
        string text => OfText(text, name, arguments),
        TimeSpan span => name switch
        {
            "getHours" => (long)span.TotalHours,
            "getMinutes" => (long)span.TotalMinutes,
            "getSeconds" => (long)span.TotalSeconds,
            "getMilliseconds" => (long)span.TotalMilliseconds,
            _ => throw new ExpressionException($"no such overload: {name}"),
        },
        _ when Values.IsList(target) => OfList(Values.Items(target), name, arguments),
        _ => throw new ExpressionException($"no such overload: {name}"),
    };

    private static object? Optional(Maybe maybe, string name, object?[] arguments) => (name, arguments) switch
    {
        ("hasValue", []) => maybe.HasValue,
        ("value", []) => maybe.HasValue ? maybe.Value : throw new ExpressionException("optional.none() dereference"),
        ("orValue", [var other]) => maybe.HasValue ? maybe.Value : other,
        _ => throw new ExpressionException($"no such overload: {name}"),
    };

    private static object OfText(string text, string name, object?[] arguments) => (name, arguments) switch
    {
        ("startsWith", [string part]) => text.StartsWith(part, StringComparison.Ordinal),
        ("endsWith", [string part]) => text.EndsWith(part, StringComparison.Ordinal),
        ("contains", [string part]) => text.Contains(part, StringComparison.Ordinal),
        ("matches", [string pattern]) => Pattern(pattern).IsMatch(text),
        ("find", [string pattern]) => Pattern(pattern).Match(text).Value,
        ("findAll", [string pattern]) => Pattern(pattern).Matches(text).Select(match => (object?)match.Value).ToList(),
        ("charAt", [long index]) => index == text.Length ? "" : Part(text, index, index + 1),
        ("indexOf", [string part]) => (long)text.IndexOf(part, StringComparison.Ordinal),
        ("lastIndexOf", [string part]) => (long)text.LastIndexOf(part, StringComparison.Ordinal),
        ("lowerAscii", []) => string.Concat(text.Select(letter => char.IsAsciiLetterUpper(letter) ? (char)(letter | 32) : letter)),
        ("upperAscii", []) => string.Concat(text.Select(letter => char.IsAsciiLetterLower(letter) ? (char)(letter & ~32) : letter)),
        ("replace", [string { Length: > 0 } part, string other]) when (long)text.Length * Math.Max(1, other.Length) <= ApiLimits.BodyBytes =>
            text.Replace(part, other, StringComparison.Ordinal),
        ("split", [string { Length: > 0 } part]) => text.Split(part).Select(item => (object?)item).ToList(),
        ("substring", [long start]) => Part(text, start, text.Length),
        ("substring", [long start, long end]) => Part(text, start, end),
        ("trim", []) => text.Trim(),
        _ => throw new ExpressionException($"no such overload: {name}"),
    };

    private static object? OfList(List<object?> items, string name, object?[] arguments) => (name, arguments) switch
    {
        ("isSorted", []) => items.Zip(items.Skip(1)).All(pair => Values.Order(pair.First, pair.Second) <= 0),
        ("sum", []) => items.Aggregate((object?)0L, (sum, item) => Values.Combine("+", sum, item)),
        ("min" or "max", []) when items.Count > 0 => items.Aggregate(
            (best, item) => (Values.Order(item, best) < 0) == (name is "min") ? item : best),
        ("indexOf", [var wanted]) => (long)items.FindIndex(item => Values.Same(item, wanted)),
        ("lastIndexOf", [var wanted]) => (long)items.FindLastIndex(item => Values.Same(item, wanted)),
        ("contains", [var wanted]) => items.Exists(item => Values.Same(item, wanted)),
        ("join", []) => string.Concat(items.Select(Values.Show)),
        ("join", [string between]) => string.Join(between, items.Select(Values.Show)),
        _ => throw new ExpressionException($"no such overload: {name}"),
    };

    private static string Part(string text, long start, long end) => start >= 0 && start <= end && end <= text.Length
        ? text[(int)start..(int)end]
        : throw new ExpressionException($"index out of range: {start}");

    private static Regex Pattern(string pattern)
    {
        if (_patterns.TryGetValue(pattern, out var known))
        {
            return known;
        }

        var compiled = LinearPattern.TryCompile(pattern, out var problem) ?? throw new ExpressionException(problem);
        if (_patterns.Count < RememberedPatterns)
        {
            _patterns[pattern] = compiled;
        }

        return compiled;
    }

    private static TimeSpan Duration(string text)
    {
        if (!Span().IsMatch(text))
        {
            throw Bad("duration", text);
        }

        var total = 0.0;
        foreach (Match part in SpanPart().Matches(text))
        {
            total += double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture) * part.Groups[2].Value switch
            {
                "h" => 3600,
                "m" => 60,
                "s" => 1,
                "ms" => 1e-3,
                "us" or "µs" => 1e-6,
                _ => 1e-9,
            };
        }

        var seconds = text[0] == '-' ? -total : total;
        return Math.Abs(seconds) < 9e11 ? TimeSpan.FromSeconds(seconds) : throw Bad("duration", text);
    }

    private static ExpressionException Bad(string type, string text) => new($"type conversion error from 'string' to '{type}': {text}");

    private static void Require(string name, bool known)
    {
        if (!known)
        {
            throw new UnsupportedExpressionException($"the function {name}() is not known to this server");
        }
    }

    [GeneratedRegex("^[-+]?(0|(\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|ms|s|m|h)((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|ms|s|m|h))*)\\z")]
    private static partial Regex Span();

    [GeneratedRegex("(\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|ms|s|m|h)")]
    private static partial Regex SpanPart();
}
