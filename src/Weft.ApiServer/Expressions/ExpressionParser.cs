// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Expressions;

/// <summary>Tokens → expression, by precedence; bounded in size and depth.</summary>
internal sealed class ExpressionParser
{
    private const int LongestRule = 64 * 1024;
    private const int DeepestNesting = 64;

    private static readonly string[][] _levels = [["||"], ["&&"], ["==", "!=", "<", "<=", ">", ">=", "in"], ["+", "-"], ["*", "/", "%"]];

    private readonly List<Token> _tokens;
    private int _at;
    private int _depth;

    private ExpressionParser(List<Token> tokens) => _tokens = tokens;

    public static Expression Parse(string text)
    {
        if (text.Length > LongestRule)
        {
            throw new ExpressionException($"the rule is longer than {LongestRule} characters");
        }

        var parser = new ExpressionParser(Lexer.Read(text));
        var result = parser.Choice();
        return parser.Current.Kind == TokenKind.End ? result : throw parser.Unexpected();
    }

    private Token Current => _tokens[_at];

    private Expression Choice()
    {
        if (++_depth > DeepestNesting)
        {
            throw Lexer.Wrong(Current.At, $"the rule is nested deeper than {DeepestNesting} levels");
        }

        var condition = Level(0);
        var at = Current.At;
        if (Take("?"))
        {
            var then = Choice();
            Expect(":");
            condition = new Expression.Choice(condition, then, Choice()) { At = at };
        }

        _depth--;
        return condition;
    }

    private Expression Level(int level)
    {
        if (level == _levels.Length)
        {
            return Unary();
        }

        var left = Level(level + 1);
        while (Current.Kind is TokenKind.Sign or TokenKind.Name && _levels[level].Contains(Current.Text, StringComparer.Ordinal))
        {
            var sign = _tokens[_at++];
            left = new Expression.Binary(sign.Text, left, Level(level + 1)) { At = sign.At };
        }

        return left;
    }

    private Expression Unary()
    {
        if (Take("!"))
        {
            return Deeper("!");
        }

        return Take("-") ? Deeper("-") : Member(Primary());
    }

    private Expression.Unary Deeper(string sign)
    {
        var at = _tokens[_at - 1].At;
        if (++_depth > DeepestNesting)
        {
            throw Lexer.Wrong(Current.At, $"the rule is nested deeper than {DeepestNesting} levels");
        }

        var result = new Expression.Unary(sign, Unary()) { At = at };
        _depth--;
        return result;
    }

    private Expression Member(Expression target)
    {
        while (true)
        {
            var at = Current.At;
            if (Take("."))
            {
                var name = Name();
                var open = Current.At;
                target = Take("(") ? Method(target, name, Arguments(")")) with { At = open } : new Expression.Select(target, Field(name), false) { At = at };
            }
            else if (Take(".?"))
            {
                target = new Expression.Select(target, Field(Name()), true) { At = at };
            }
            else if (Current.Text is "[" or "[?" && Current.Kind == TokenKind.Sign)
            {
                var optional = _tokens[_at++].Text is "[?";
                target = new Expression.Index(target, Choice(), optional) { At = at };
                Expect("]");
            }
            else
            {
                return target;
            }
        }
    }

    private Expression Primary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Value:
                _at++;
                return new Expression.Literal(token.Value);
            case TokenKind.Name:
                _at++;
                return token.Text switch
                {
                    "true" => new Expression.Literal(true),
                    "false" => new Expression.Literal(false),
                    "null" => new Expression.Literal(null),
                    _ when Take("(") => Function(token, Arguments(")")) with { At = token.At + token.Text.Length },
                    _ => new Expression.Name(token.Text) { At = token.At },
                };
            case TokenKind.Sign when Take("("):
                var inner = Choice();
                Expect(")");
                return inner;
            case TokenKind.Sign when Take("["):
                return new Expression.ListOf(Arguments("]"));
            case TokenKind.Sign when Take("{"):
                return Map();
            default:
                throw Unexpected();
        }
    }

    private Expression.MapOf Map()
    {
        var entries = new List<(Expression Key, Expression Value)>();
        while (!Take("}"))
        {
            var key = Choice();
            Expect(":");
            entries.Add((key, Choice()));
            if (!Take(","))
            {
                Expect("}");
                break;
            }
        }

        return new Expression.MapOf([.. entries]);
    }

    private Expression[] Arguments(string end)
    {
        var result = new List<Expression>();
        while (!Take(end))
        {
            result.Add(Choice());
            if (!Take(","))
            {
                Expect(end);
                break;
            }
        }

        return [.. result];
    }

    private static Expression Function(Token token, Expression[] arguments)
    {
        if (token.Text is "has")
        {
            return arguments is [Expression.Select field]
                ? new Expression.Has(field)
                : throw Lexer.Wrong(token.At, "has() takes one field");
        }

        Functions.RequireFunction(token.Text);
        return new Expression.Call(null, token.Text, arguments);
    }

    private static Expression Method(Expression target, string name, Expression[] arguments)
    {
        switch (name, arguments)
        {
            case ("all" or "exists" or "exists_one" or "existsOne" or "filter" or "map", [Expression.Name item, var body]):
                return new Expression.Loop(name, target, [item.Text], null, body);
            case ("map", [Expression.Name item, var where, var body]):
                return new Expression.Loop(name, target, [item.Text], where, body);
            case ("all" or "exists" or "exists_one" or "existsOne", [Expression.Name key, Expression.Name item, var body]):
                return new Expression.Loop(name, target, [key.Text, item.Text], null, body);
            default:
                Functions.RequireMethod(name);
                return new Expression.Call(target, name, arguments);
        }
    }

    /// <summary>Names that are no identifiers are written with escapes.</summary>
    private static string Field(string name)
    {
        if (!name.Contains("__", StringComparison.Ordinal))
        {
            return name;
        }

        var plain = name.Replace("__underscores__", "\u0001", StringComparison.Ordinal).Replace("__dot__", ".", StringComparison.Ordinal)
            .Replace("__dash__", "-", StringComparison.Ordinal).Replace("__slash__", "/", StringComparison.Ordinal);
        plain = plain.Length > 4 && plain.StartsWith("__", StringComparison.Ordinal) && plain.EndsWith("__", StringComparison.Ordinal)
            ? plain[2..^2]
            : plain;
        return plain.Replace("\u0001", "__", StringComparison.Ordinal);
    }

    private string Name()
    {
        var token = Current;
        if (token.Kind != TokenKind.Name)
        {
            throw Unexpected();
        }

        _at++;
        return token.Text;
    }

    private bool Take(string sign)
    {
        if (Current.Kind != TokenKind.Sign || Current.Text != sign)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Expect(string sign)
    {
        if (!Take(sign))
        {
            throw Lexer.Wrong(Current.At, $"'{sign}' expected before '{Current.Text}'");
        }
    }

    private ExpressionException Unexpected() => Lexer.Wrong(Current.At, $"unexpected '{Current.Text}'");
}
