// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Expressions;

/// <summary>
/// Evaluates expressions over JSON. Values are null, bool, long, double, string, TimeSpan, DateTimeOffset, JSON lists and objects,
/// and what the expression makes itself. Every step counts against a budget, so a rule ends.
/// </summary>
internal sealed class Evaluator(int steps)
{
    private int _left = steps;

    public object? Run(Expression expression, IReadOnlyDictionary<string, object?> variables) =>
        Visit(expression, new Scope(null, "", null, variables));

    /// <summary>Names that are known at a place: a chain of loops' variables, and the given ones at its end.</summary>
    private sealed record Scope(Scope? Outer, string Name, object? Value, IReadOnlyDictionary<string, object?> Given)
    {
        public Scope With(string name, object? value) => new(this, name, value, Given);

        public bool TryFind(string name, out object? value)
        {
            for (var scope = this; scope.Outer is not null; scope = scope.Outer)
            {
                if (scope.Name == name)
                {
                    value = scope.Value;
                    return true;
                }
            }

            return Given.TryGetValue(name, out value);
        }
    }

    private object? Visit(Expression expression, Scope scope)
    {
        if (--_left < 0)
        {
            throw new ExpressionException("operation cancelled: actual cost limit exceeded");
        }

        return expression switch
        {
            Expression.Literal literal => literal.Value,
            Expression.Name name => scope.TryFind(name.Text, out var value) ? Values.Of(value) : TypeName.Find(name.Text)
                ?? throw new ExpressionException($"undeclared reference to '{name.Text}'"),
            Expression.Select select => Field(Visit(select.Target, scope), select.Field, select.Optional),
            Expression.Index index => Item(Visit(index.Target, scope), Visit(index.Key, scope), index.Optional),
            Expression.Has has => Present(Visit(has.Field.Target, scope), has.Field.Field),
            Expression.Unary unary => Signed(unary.Sign, Visit(unary.Inner, scope)),
            Expression.Binary { Sign: "&&" or "||" } binary => Logic(binary, scope),
            Expression.Binary binary => Values.Combine(binary.Sign, Visit(binary.Left, scope), Visit(binary.Right, scope)),
            Expression.Choice choice => Visit(Truth(Visit(choice.Condition, scope)) ? choice.Then : choice.Otherwise, scope),
            Expression.ListOf list => list.Items.Select(item => Visit(item, scope)).ToList(),
            Expression.MapOf map => MapOf(map, scope),
            Expression.Loop loop => Repeat(loop, scope),
            Expression.Call call => Call(call, scope),
            _ => throw new InvalidOperationException($"The expression {expression.GetType().Name} has no evaluation."),
        };
    }

    private Dictionary<string, object?> MapOf(Expression.MapOf map, Scope scope)
    {
        var result = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Entries)
        {
            result[Values.Show(Visit(key, scope))] = Visit(value, scope);
        }

        return result;
    }

    private object? Call(Expression.Call call, Scope scope)
    {
        var target = call.Target is null ? null : Visit(call.Target, scope);
        var arguments = call.Arguments.Select(argument => Visit(argument, scope)).ToArray();
        Spend(Values.Length(target) / 10);
        return call.Target is null ? Functions.Call(call.Function, arguments) : Functions.CallMethod(target, call.Function, arguments);
    }

    private void Spend(int count) => _left -= count;

    /// <summary>One side that decides makes up for an error on the other.</summary>
    private bool Logic(Expression.Binary binary, Scope scope)
    {
        var decisive = binary.Sign is "||";
        ExpressionException? problem = null;
        foreach (var side in new[] { binary.Left, binary.Right })
        {
            try
            {
                if (Truth(Visit(side, scope)) == decisive)
                {
                    return decisive;
                }
            }
            catch (ExpressionException failed) when (_left >= 0)
            {
                problem ??= failed;
            }
        }

        return problem is null ? !decisive : throw problem;
    }

    private object Repeat(Expression.Loop loop, Scope scope)
    {
        var target = Visit(loop.Target, scope);
        var items = Values.Entries(target, loop.Names.Length == 2);
        var results = new List<object?>();
        var count = 0;
        ExpressionException? problem = null;
        foreach (var (key, value) in items)
        {
            var inner = loop.Names.Length == 2 ? scope.With(loop.Names[0], key).With(loop.Names[1], value) : scope.With(loop.Names[0], value);
            if (loop.Where is not null && !Truth(Visit(loop.Where, inner)))
            {
                continue;
            }

            if (loop.Kind is "map")
            {
                results.Add(Visit(loop.Body, inner));
                continue;
            }

            try
            {
                if (!Truth(Visit(loop.Body, inner)))
                {
                    if (loop.Kind is "all")
                    {
                        return false;
                    }

                    continue;
                }
            }
            catch (ExpressionException failed) when (_left >= 0 && loop.Kind is "all" or "exists")
            {
                problem ??= failed;
                continue;
            }

            if (loop.Kind is "exists")
            {
                return true;
            }

            count++;
            results.Add(value);
        }

        return loop.Kind switch
        {
            _ when problem is not null => throw problem,
            "all" => true,
            "exists" => false,
            "exists_one" or "existsOne" => count == 1,
            _ => results,
        };
    }

    private static object? Field(object? target, string name, bool optional)
    {
        if (target is Maybe maybe)
        {
            return maybe.HasValue ? Field(maybe.Value, name, optional: true) : maybe;
        }

        var found = Values.TryField(target, name, out var value);
        if (optional)
        {
            return found ? new Maybe(true, value) : Maybe.Nothing;
        }

        return found ? value : throw new ExpressionException($"no such key: {name}");
    }

    private static object? Item(object? target, object? key, bool optional)
    {
        if (target is Maybe maybe)
        {
            return maybe.HasValue ? Item(maybe.Value, key, optional: true) : maybe;
        }

        var found = Values.TryItem(target, key, out var value);
        if (optional)
        {
            return found ? new Maybe(true, value) : Maybe.Nothing;
        }

        var shown = Values.Show(key);
        return found ? value : throw new ExpressionException(
            Values.IsList(target) ? $"index out of bounds: {shown}" : $"no such key: {shown}");
    }

    private static bool Present(object? target, string name) => target is Maybe maybe
        ? maybe.HasValue && Values.TryField(maybe.Value, name, out _)
        : Values.TryField(target, name, out _);

    private static object Signed(string sign, object? value) => (sign, value) switch
    {
        ("!", bool flag) => !flag,
        ("-", long number) => checked(-number),
        ("-", double fraction) => -fraction,
        _ => throw new ExpressionException("no such overload"),
    };

    private static bool Truth(object? value) => value is bool flag ? flag : throw new ExpressionException("no such overload");
}
