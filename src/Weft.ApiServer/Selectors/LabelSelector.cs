// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Globalization;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Selectors;

/// <summary>A parsed <c>labelSelector</c> parameter.</summary>
public sealed class LabelSelector
{
    private static readonly SearchValues<char> _forbidden = SearchValues.Create(" ()!=<>\t");

    private readonly List<Requirement> _requirements = [];

    private enum Operation
    {
        In,
        NotIn,
        Exists,
        Absent,
        Greater,
        Less,
    }

    public bool IsEmpty => _requirements.Count == 0;

    public static LabelSelector Parse(string? text)
    {
        var selector = new LabelSelector();
        foreach (var part in Split(text ?? ""))
        {
            if (part.StartsWith('='))
            {
                throw ApiException.BadRequest($"found '{(part.StartsWith("==", StringComparison.Ordinal) ? "==" : "=")}', expected: !, identifier, or 'end of string'");
            }

            selector._requirements.Add(ParseOne(part, text!));
        }

        return selector;
    }

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        foreach (var requirement in _requirements)
        {
            if (!requirement.Matches(labels))
            {
                return false;
            }
        }

        return true;
    }

    private static IEnumerable<string> Split(string text)
    {
        var depth = 0;
        var start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && (text[i] != ',' || depth > 0))
            {
                depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
                continue;
            }

            var part = text[start..i].Trim();
            start = i + 1;
            if (part.Length > 0)
            {
                yield return part;
            }
        }
    }

    private static Requirement ParseOne(string part, string whole)
    {
        if (part[0] == '!')
        {
            return new Requirement(Key(part[1..], whole), Operation.Absent, []);
        }

        var open = part.IndexOf('(', StringComparison.Ordinal);
        if (open > 0)
        {
            return ParseSet(part, open, whole);
        }

        foreach (var (symbol, operation) in _symbols)
        {
            var at = part.IndexOf(symbol, StringComparison.Ordinal);
            if (at > 0)
            {
                return new Requirement(Key(part[..at], whole), operation, [Value(part[(at + symbol.Length)..].Trim())]);
            }
        }

        return new Requirement(Key(part, whole), Operation.Exists, []);
    }

    private static readonly (string Symbol, Operation Operation)[] _symbols =
    [
        ("!=", Operation.NotIn), ("==", Operation.In), ("=", Operation.In), (">", Operation.Greater), ("<", Operation.Less),
    ];

    private static Requirement ParseSet(string part, int open, string whole)
    {
        var words = part[..open].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 2 || part[^1] != ')' || words[1] is not ("in" or "notin"))
        {
            throw Unparsable(whole, part);
        }

        var values = part[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries);
        return new Requirement(Key(words[0], whole), words[1] is "in" ? Operation.In : Operation.NotIn, values);
    }

    private static string Value(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return space < 0
            ? text
            : throw ApiException.BadRequest($"found '{text[(space + 1)..]}', expected: ',' or 'end of string'");
    }

    private static string Key(string text, string whole)
    {
        var key = text.Trim();
        if (key.Length == 0 || key.AsSpan().ContainsAny(_forbidden))
        {
            throw Unparsable(whole, text);
        }

        return key;
    }

    private static ApiException Unparsable(string whole, string part) => ApiException.BadRequest(
        $"unable to parse requirement: found '{part.Trim()}' in selector \"{whole}\", expected: key, !key, key=value, " +
        "key!=value, key in (values), key notin (values)");

    private sealed record Requirement(string Key, Operation Operation, string[] Values)
    {
        public bool Matches(IReadOnlyDictionary<string, string> labels)
        {
            var present = labels.TryGetValue(Key, out var value);
            return Operation switch
            {
                Operation.In => present && Values.Contains(value, StringComparer.Ordinal),
                Operation.NotIn => !present || !Values.Contains(value, StringComparer.Ordinal),
                Operation.Exists => present,
                Operation.Absent => !present,
                Operation.Greater => present && Compare(value!) is > 0,
                _ => present && Compare(value!) is < 0,
            };
        }

        private int? Compare(string value) =>
            long.TryParse(value, CultureInfo.InvariantCulture, out var left) && long.TryParse(Values[0], CultureInfo.InvariantCulture, out var right) ? left.CompareTo(right) : null;
    }
}
