// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.ApiServer.Expressions;

/// <summary>Text of an expression → tokens.</summary>
internal static class Lexer
{
    private static readonly string[] _signs =
    [
        "&&", "||", "==", "!=", "<=", ">=", ".?", "[?", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}",
    ];

    public static List<Token> Read(string text)
    {
        var tokens = new List<Token>();
        var at = 0;
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            if (at < text.Length && text.AsSpan(at).StartsWith("//", StringComparison.Ordinal))
            {
                var end = text.IndexOf('\n', at);
                at = end < 0 ? text.Length : end;
                continue;
            }

            if (at == text.Length)
            {
                tokens.Add(new Token(TokenKind.End, "end of the rule", null, at));
                return tokens;
            }

            tokens.Add(Next(text, ref at));
        }
    }

    private static Token Next(string text, ref int at)
    {
        var start = at;
        var letter = text[at];
        var raw = letter is 'r' or 'R' && at + 1 < text.Length && text[at + 1] is '\'' or '"';
        if (letter is '\'' or '"' || raw)
        {
            at += raw ? 1 : 0;
            return new Token(TokenKind.Value, "text", Quoted(text, ref at, raw), start);
        }

        if (char.IsAsciiDigit(letter) || (letter == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])))
        {
            return Number(text, ref at);
        }

        if (char.IsAsciiLetter(letter) || letter == '_')
        {
            while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_'))
            {
                at++;
            }

            return new Token(TokenKind.Name, text[start..at], null, start);
        }

        foreach (var sign in _signs)
        {
            if (text.AsSpan(at).StartsWith(sign, StringComparison.Ordinal))
            {
                at += sign.Length;
                return new Token(TokenKind.Sign, sign, null, start);
            }
        }

        throw Wrong(start, $"unexpected '{letter}'");
    }

    private static Token Number(string text, ref int at)
    {
        var start = at;
        if (text.AsSpan(at).StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            at += 2;
            while (at < text.Length && char.IsAsciiHexDigit(text[at]))
            {
                at++;
            }

            var parsed = long.TryParse(text.AsSpan(start + 2, at - start - 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var hex);
            return parsed ? new Token(TokenKind.Value, "number", hex, start) : throw Wrong(start, "the number is too large");
        }

        var whole = true;
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || IsFraction(text, at)))
        {
            whole &= char.IsAsciiDigit(text[at]);
            at++;
        }

        var digits = text[start..at];
        if (at < text.Length && text[at] is 'u' or 'U')
        {
            at++;
        }

        if (whole && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return new Token(TokenKind.Value, "number", number, start);
        }

        return !whole && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var fraction)
            ? new Token(TokenKind.Value, "number", fraction, start)
            : throw Wrong(start, $"'{digits}' is no number");
    }

    private static bool IsFraction(string text, int at) => text[at] switch
    {
        '.' => at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]),
        'e' or 'E' => at + 1 < text.Length && (char.IsAsciiDigit(text[at + 1]) || text[at + 1] is '+' or '-'),
        '+' or '-' => text[at - 1] is 'e' or 'E',
        _ => false,
    };

    private static string Quoted(string text, ref int at, bool raw)
    {
        var start = at;
        var quote = text[at..Math.Min(at + 3, text.Length)] is "'''" or "\"\"\"" ? text[at..(at + 3)] : text[at..(at + 1)];
        at += quote.Length;
        var result = new StringBuilder();
        while (at < text.Length)
        {
            if (text.AsSpan(at).StartsWith(quote, StringComparison.Ordinal))
            {
                at += quote.Length;
                return result.ToString();
            }

            if (text[at] == '\\' && !raw)
            {
                at++;
                Escape(text, ref at, result);
            }
            else
            {
                result.Append(text[at++]);
            }
        }

        throw Wrong(start, "the text is not closed");
    }

    private static void Escape(string text, ref int at, StringBuilder result)
    {
        var letter = at < text.Length ? text[at++] : throw Wrong(at, "the text is not closed");
        var digits = letter switch { 'x' or 'X' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            if (at + digits > text.Length
                || !int.TryParse(text.AsSpan(at, digits), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var code)
                || !Rune.IsValid(code))
            {
                throw Wrong(at, "the escape has no code");
            }

            at += digits;
            result.Append(new Rune(code).ToString());
            return;
        }

        result.Append(letter switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\a',
            'b' => '\b',
            'f' => '\f',
            'v' => '\v',
            '\\' or '\'' or '"' or '`' or '?' => letter,
            _ => throw Wrong(at - 1, $"'\\{letter}' is no escape"),
        });
    }

    public static ExpressionException Wrong(int at, string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"compilation failed: ERROR: <input>:1:{at + 1}: Syntax error: {what}"));
}
