// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Expressions;

/// <summary>A parsed expression of the Common Expression Language, as far as rules of custom kinds use it.</summary>
internal abstract record Expression
{
    /// <summary>Where it stands in the text of its rule: a name's first letter, an operator's sign, the dot of a field.</summary>
    public int At { get; init; }

    public sealed record Literal(object? Value) : Expression;

    public sealed record Name(string Text) : Expression;

    /// <summary><c>target.field</c>; asked for with <c>.?</c> a missing field is an empty optional instead of an error.</summary>
    public sealed record Select(Expression Target, string Field, bool Optional) : Expression;

    public sealed record Index(Expression Target, Expression Key, bool Optional) : Expression;

    /// <summary>A function, or a method when there is a target.</summary>
    public sealed record Call(Expression? Target, string Function, Expression[] Arguments) : Expression;

    public sealed record ListOf(Expression[] Items) : Expression;

    public sealed record MapOf((Expression Key, Expression Value)[] Entries) : Expression;

    public sealed record Unary(string Sign, Expression Inner) : Expression;

    public sealed record Binary(string Sign, Expression Left, Expression Right) : Expression;

    public sealed record Choice(Expression Condition, Expression Then, Expression Otherwise) : Expression;

    public sealed record Has(Select Field) : Expression;

    /// <summary><c>all</c>, <c>exists</c>, <c>exists_one</c>, <c>filter</c> or <c>map</c> over the items of a list or the keys of a map.</summary>
    public sealed record Loop(string Kind, Expression Target, string[] Names, Expression? Where, Expression Body) : Expression;
}

/// <summary>An expression that cannot be read, or whose evaluation fails.</summary>
internal sealed class ExpressionException(string message) : Exception(message);

/// <summary>An expression that is well formed but uses what this server does not have.</summary>
internal sealed class UnsupportedExpressionException(string message) : Exception(message);
