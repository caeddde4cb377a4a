// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Weft.Model.Plan;

/// <summary>
/// Rewrites an expression of RE2's syntax into one of .NET's with the same meaning: classes are ASCII, <c>$</c> is the very end,
/// names of groups are dropped. Refuses what RE2 does not have.
/// </summary>
internal sealed class Re2Translator(string pattern)
{
    // RE2's own bound of a counted repetition.
    private const int MaxRepeat = 1000;

    private readonly StringBuilder _out = new();
    private readonly Stack<bool> _multiline = new([false]);
    private int _at;

    public bool TryTranslate([NotNullWhen(true)] out string? translated, [NotNullWhen(false)] out string? problem)
    {
        translated = problem = null;
        while (_at < pattern.Length && problem is null)
        {
            problem = Next();
        }

        if (problem is not null)
        {
            return false;
        }

        translated = _out.ToString();
        return true;
    }

    private string? Next()
    {
        var c = pattern[_at];
        switch (c)
        {
            case '\\':
                return Escape();
            case '(':
                return Group();
            case '[':
                return new Re2ClassTranslator(pattern, _out).Translate(ref _at);
            case '{':
                return Repeat();
            case '$':
                _out.Append(_multiline.Peek() ? "$" : @"\z");
                break;
            case ')' when _multiline.Count > 1:
                _multiline.Pop();
                _out.Append(c);
                break;
            default:
                _out.Append(c);
                break;
        }

        _at++;
        return null;
    }

    private string? Escape()
    {
        if (_at + 1 >= pattern.Length)
        {
            return "it ends in a single backslash";
        }

        var c = pattern[_at + 1];
        if (c == 'Q')
        {
            var end = pattern.IndexOf(@"\E", _at + 2, StringComparison.Ordinal);
            var literal = pattern[(_at + 2)..(end < 0 ? pattern.Length : end)];
            foreach (var quoted in literal)
            {
                Re2Escapes.AppendLiteral(_out, quoted);
            }

            _at = end < 0 ? pattern.Length : end + 2;
            return null;
        }

        if (c is 'A' or 'z' or 'b' or 'B')
        {
            _out.Append('\\').Append(c);
            _at += 2;
            return null;
        }

        return Re2Escapes.Translate(pattern, ref _at, _out, inClass: false);
    }

    private string? Group()
    {
        if (_at + 1 >= pattern.Length || pattern[_at + 1] != '?')
        {
            _out.Append('(');
            _multiline.Push(_multiline.Peek());
            _at++;
            return null;
        }

        var rest = pattern.AsSpan(_at + 2);
        if (rest.StartsWith("=") || rest.StartsWith("!"))
        {
            return "RE2 has no look-ahead";
        }

        if (rest.StartsWith("<=") || rest.StartsWith("<!"))
        {
            return "RE2 has no look-behind";
        }

        return rest.StartsWith("P<") || rest.StartsWith("<") ? NamedGroup() : Flags();
    }

    private string? NamedGroup()
    {
        var open = pattern.IndexOf('<', _at);
        var close = pattern.IndexOf('>', open);
        if (close <= open + 1 || !pattern.AsSpan((open + 1)..close).ContainsOnlyWordCharacters())
        {
            return "the name of a group is not valid";
        }

        _out.Append('(');
        _multiline.Push(_multiline.Peek());
        _at = close + 1;
        return null;
    }

    /// <summary><c>(?flags)</c> and <c>(?flags:...)</c> with the flags i, m, s.</summary>
    private string? Flags()
    {
        var multiline = _multiline.Peek();
        var on = true;
        for (var i = _at + 2; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '-' when on:
                    on = false;
                    break;
                case 'i' or 's':
                    break;
                case 'm':
                    multiline = on;
                    break;
                case ':':
                    _out.Append(pattern, _at, i + 1 - _at);
                    _multiline.Push(multiline);
                    _at = i + 1;
                    return null;
                case ')' when i > _at + 2:
                    _out.Append(pattern, _at, i + 1 - _at);
                    _multiline.Pop();
                    _multiline.Push(multiline);
                    _at = i + 1;
                    return null;
                default:
                    return $"'(?{pattern[i]}' is not supported";
            }
        }

        return "a '(' is not closed";
    }

    /// <summary>A brace that begins no repetition is a literal, in RE2 as in .NET.</summary>
    private string? Repeat()
    {
        var close = pattern.IndexOf('}', _at);
        var body = close < 0 ? default : pattern.AsSpan((_at + 1)..close);
        var comma = body.IndexOf(',');
        var low = comma < 0 ? body : body[..comma];
        var high = comma < 0 ? low : body[(comma + 1)..];
        if (!IsCount(low) || !(IsCount(high) || (comma >= 0 && high.IsEmpty)))
        {
            _out.Append(@"\{");
            _at++;
            return null;
        }

        if (TooMany(low) || TooMany(high))
        {
            return $"a repetition count is above {MaxRepeat}";
        }

        _out.Append(pattern, _at, close + 1 - _at);
        _at = close + 1;
        return null;
    }

    private static bool IsCount(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExceptInRange('0', '9');

    private static bool TooMany(ReadOnlySpan<char> text) =>
        !text.IsEmpty && (!int.TryParse(text, CultureInfo.InvariantCulture, out var count) || count > MaxRepeat);
}
