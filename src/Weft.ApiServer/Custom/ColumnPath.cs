// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>
/// The part of kubectl's JSONPath that names one value: fields, quoted fields, indexes, <c>[*]</c>, and filters such as
/// <c>[?(@.type=="Ready")]</c>.
/// </summary>
internal sealed class ColumnPath
{
    private readonly List<Step> _steps = [];

    private ColumnPath(string text) => Text = text;

    public string Text { get; }

    /// <summary>The names of the fields when the path is made of nothing else; null otherwise.</summary>
    public IReadOnlyList<string>? Fields => _steps.TrueForAll(step => step.Field is not null) ? [.. _steps.Select(step => step.Field!)] : null;

    public static ColumnPath Parse(string text)
    {
        var path = new ColumnPath(text);
        var at = 0;
        while (at < text.Length)
        {
            path._steps.Add(text[at] switch
            {
                '.' => path.ReadField(ref at),
                '[' => path.ReadBracket(ref at),
                _ => throw path.Wrong($"unexpected '{text[at]}'", at),
            });
        }

        return path._steps.Count > 0 ? path : throw path.Wrong("it is empty", 0);
    }

    /// <summary>The first value that the path leads to.</summary>
    public JsonNode? First(JsonNode? node) => All(node).FirstOrDefault();

    /// <summary>Sets the value at a path of fields only, making the objects on the way.</summary>
    public void Set(JsonObject tree, JsonNode value)
    {
        var fields = Fields ?? throw new InvalidOperationException($"{Text} names no single place.");
        foreach (var name in fields.Take(fields.Count - 1))
        {
            tree = tree.Child(name);
        }

        tree[fields[^1]] = value;
    }

    private IEnumerable<JsonNode?> All(JsonNode? node)
    {
        IEnumerable<JsonNode?> found = [node];
        foreach (var step in _steps)
        {
            found = found.SelectMany(step.Find);
        }

        return found;
    }

    private Step ReadField(ref int at)
    {
        var name = new StringBuilder();
        var start = at++;
        while (at < Text.Length && Text[at] is not ('.' or '['))
        {
            if (Text[at] == '\\' && at + 1 < Text.Length)
            {
                at++;
            }

            name.Append(Text[at++]);
        }

        return name.Length > 0 ? new Step { Field = name.ToString() } : throw Wrong("a field has no name", start);
    }

    private Step ReadBracket(ref int at)
    {
        var end = Text.IndexOf(']', at);
        if (Text.AsSpan(at).StartsWith("[?(", StringComparison.Ordinal))
        {
            end = Text.IndexOf(")]", at, StringComparison.Ordinal);
            var filter = end < 0 ? throw Wrong("the filter is not closed", at) : Text[(at + 3)..end];
            at = end + 2;
            return ReadFilter(filter);
        }

        if (end < 0)
        {
            throw Wrong("the bracket is not closed", at);
        }

        var inside = Text[(at + 1)..end].Trim();
        var start = at;
        at = end + 1;
        if (inside is "*")
        {
            return new Step { Every = true };
        }

        if (inside.Length > 1 && inside[0] is '\'' or '"' && inside[^1] == inside[0])
        {
            return new Step { Field = inside[1..^1] };
        }

        return int.TryParse(inside, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index)
            ? new Step { Index = index }
            : throw Wrong($"'{inside}' is no index", start);
    }

    private Step ReadFilter(string text)
    {
        foreach (var sign in new[] { "==", "!=" })
        {
            var at = text.IndexOf(sign, StringComparison.Ordinal);
            if (at < 0 || text[..at].Trim() is not { Length: > 1 } left || left[0] != '@')
            {
                continue;
            }

            var right = text[(at + 2)..].Trim();
            var wanted = right.Length > 1 && right[0] is '\'' or '"' ? right[1..^1] : right;
            return new Step { Filter = Parse(left[1..]), Wanted = wanted, Same = sign is "==" };
        }

        if (text.Trim() is { Length: > 1 } present && present[0] == '@')
        {
            return new Step { Filter = Parse(present.Trim()[1..]) };
        }

        throw Wrong($"the filter '{text}' is not of the form @.field==value", 0);
    }

    private FormatException Wrong(string why, int at) => new($"{Text}: {why} at {at + 1}");

    private sealed record Step
    {
        public string? Field { get; init; }

        public int? Index { get; init; }

        public bool Every { get; init; }

        public ColumnPath? Filter { get; init; }

        public string? Wanted { get; init; }

        public bool Same { get; init; }

        public IEnumerable<JsonNode?> Find(JsonNode? node)
        {
            switch (node)
            {
                case JsonObject tree when Field is not null:
                    return tree.TryGetPropertyValue(Field, out var value) && value is not null ? [value] : [];
                case JsonObject tree when Every:
                    return tree.Select(pair => pair.Value);
                case JsonArray list when Every:
                    return list;
                case JsonArray list when Index is { } index:
                    index = index < 0 ? list.Count + index : index;
                    return index >= 0 && index < list.Count ? [list[index]] : [];
                case JsonArray list when Filter is not null:
                    return list.Where(Fits);
                default:
                    return [];
            }
        }

        private bool Fits(JsonNode? item)
        {
            var found = Filter!.First(item);
            if (Wanted is null)
            {
                return found is not null;
            }

            var shown = found is null ? null : found.GetValueKind() == JsonValueKind.String ? found.Text() : JsonText.String(found);
            return string.Equals(shown, Wanted, StringComparison.Ordinal) == Same;
        }
    }
}
