// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Expressions;

/// <summary>
/// Finds before any object is there what an expression can never mean: fields that no schema has, values of two types that are
/// compared, functions of other types. What is not known stays unjudged.
/// </summary>
internal static class TypeChecker
{
    /// <summary>The expression's own shape; throws what is wrong, with its place in <paramref name="text"/>.</summary>
    public static Shape Check(Expression expression, string text, IReadOnlyDictionary<string, Shape> variables) =>
        new Walk(text, variables).Visit(expression, null);

    private sealed record Scope(Scope? Outer, string Name, Shape Shape);

    private sealed class Walk(string text, IReadOnlyDictionary<string, Shape> variables)
    {
        public Shape Visit(Expression expression, Scope? scope) => expression switch
        {
            Expression.Literal literal => OfValue(literal.Value),
            Expression.Name name => OfName(name, scope),
            Expression.Select select => OfSelect(select, scope),
            Expression.Index index => OfIndex(index, scope),
            Expression.Has has => OfHas(has, scope),
            Expression.Unary unary => OfUnary(unary, scope),
            Expression.Binary binary => OfBinary(binary, Visit(binary.Left, scope), Visit(binary.Right, scope)),
            Expression.Choice choice => OfChoice(choice, scope),
            Expression.ListOf list => Shape.ListOf(Common(list.Items.Select(item => Visit(item, scope)))),
            Expression.MapOf map => Shape.MapOf(Common(map.Entries.Select(entry => Visit(entry.Value, scope)))),
            Expression.Loop loop => OfLoop(loop, scope),
            Expression.Call call => OfCall(call, scope),
            _ => Shape.Dyn,
        };

        private static Shape OfValue(object? value) => value switch
        {
            bool => Shape.Bool,
            long => Shape.Int,
            double => Shape.Double,
            string => Shape.Text,
            null => Shape.Null,
            _ => Shape.Dyn,
        };

        private Shape OfName(Expression.Name name, Scope? scope)
        {
            for (; scope is not null; scope = scope.Outer)
            {
                if (scope.Name == name.Text)
                {
                    return scope.Shape;
                }
            }

            return variables.GetValueOrDefault(name.Text)
                ?? (TypeName.Find(name.Text) is not null ? Shape.Type : throw Wrong(name, $"undeclared reference to '{name.Text}' (in container '')"));
        }

        private Shape OfSelect(Expression.Select select, Scope? scope)
        {
            var target = Visit(select.Target, scope);
            var optional = select.Optional || target.Kind is Shape.OptionalKind;
            var found = Field(select, target.Kind is Shape.OptionalKind ? target.Item! : target);
            return optional ? Shape.OptionalOf(found) : found;
        }

        private Shape Field(Expression.Select select, Shape target) => target.Kind switch
        {
            "dyn" or "null" => Shape.Dyn,
            Shape.MapKind => target.Item!,
            Shape.ObjectKind => target.Fields!.GetValueOrDefault(select.Field) ?? throw Wrong(select, $"undefined field '{select.Field}'"),
            _ => throw Wrong(select, $"type '{target}' does not support field selection"),
        };

        private Shape OfHas(Expression.Has has, Scope? scope)
        {
            var target = Visit(has.Field.Target, scope);
            Field(has.Field, target.Kind is Shape.OptionalKind ? target.Item! : target);
            return Shape.Bool;
        }

        private Shape OfIndex(Expression.Index index, Scope? scope)
        {
            var target = Visit(index.Target, scope);
            var key = Visit(index.Key, scope);
            var inner = target.Kind is Shape.OptionalKind ? target.Item! : target;
            var item = inner.Kind switch
            {
                "dyn" => Shape.Dyn,
                Shape.ListKind when key.Fits(Shape.Int) => inner.Item!,
                Shape.MapKind when key.Fits(Shape.Text) => inner.Item!,
                Shape.ObjectKind when index.Key is Expression.Literal { Value: string name } && inner.Fields!.TryGetValue(name, out var field) => field,
                _ => throw NoOverload(index, "_[_]", $"({inner}, {key})"),
            };
            return index.Optional || target.Kind is Shape.OptionalKind ? Shape.OptionalOf(item) : item;
        }

        private Shape OfUnary(Expression.Unary unary, Scope? scope)
        {
            var inner = Visit(unary.Inner, scope);
            return (unary.Sign, inner.Kind) switch
            {
                (_, "dyn") => unary.Sign is "!" ? Shape.Bool : Shape.Dyn,
                ("!", "bool") or ("-", "int" or "double") => inner,
                _ => throw NoOverload(unary, unary.Sign + "_", $"({inner})"),
            };
        }

        private Shape OfBinary(Expression.Binary binary, Shape left, Shape right)
        {
            var sign = binary.Sign;
            var fits = sign switch
            {
                "&&" or "||" => left.Fits(Shape.Bool) && right.Fits(Shape.Bool),
                "==" or "!=" => left.Fits(right),
                "in" => right.IsDyn || (right.Kind is Shape.ListKind && left.Fits(right.Item!)) || (right.Kind is Shape.MapKind or Shape.ObjectKind && left.Fits(Shape.Text)),
                "<" or "<=" or ">" or ">=" => (left.Fits(right) && IsOrdered(left) && IsOrdered(right)) || (IsNumber(left) && IsNumber(right)),
                _ => true,
            };
            if (fits && sign is not ("+" or "-" or "*" or "/" or "%"))
            {
                return Shape.Bool;
            }

            return (fits ? Arithmetic(sign, left, right) : null) ?? throw NoOverload(binary, sign is "in" ? "@in" : $"_{sign}_", $"({left}, {right})");
        }

        private static Shape? Arithmetic(string sign, Shape left, Shape right)
        {
            if (left.IsDyn || right.IsDyn)
            {
                return Shape.Dyn;
            }

            return (sign, left.Kind, right.Kind) switch
            {
                (_, "int", "int") => Shape.Int,
                ("%", _, _) => null,
                (_, "double", "double") => Shape.Double,
                ("+", "string", "string") => Shape.Text,
                ("+", Shape.ListKind, Shape.ListKind) when left.Fits(right) => left,
                ("+" or "-", _, _) when left == Shape.Duration && right == Shape.Duration => Shape.Duration,
                ("+" or "-", _, _) when left == Shape.Moment && right == Shape.Duration => Shape.Moment,
                ("+", _, _) when left == Shape.Duration && right == Shape.Moment => Shape.Moment,
                ("-", _, _) when left == Shape.Moment && right == Shape.Moment => Shape.Duration,
                _ => null,
            };
        }

        private Shape OfChoice(Expression.Choice choice, Scope? scope)
        {
            var condition = Visit(choice.Condition, scope);
            var then = Visit(choice.Then, scope);
            var otherwise = Visit(choice.Otherwise, scope);
            return condition.Fits(Shape.Bool) && then.Fits(otherwise)
                ? then == Shape.Null ? otherwise : then
                : throw NoOverload(choice, "_?_:_", $"({condition}, {then}, {otherwise})");
        }

        private Shape OfLoop(Expression.Loop loop, Scope? scope)
        {
            var target = Visit(loop.Target, scope);
            var (key, item) = target.Kind switch
            {
                "dyn" => (Shape.Dyn, Shape.Dyn),
                Shape.ListKind => (Shape.Int, target.Item!),
                Shape.MapKind => (Shape.Text, target.Item!),
                _ => throw Wrong(loop, $"expression of type '{target}' cannot be range of a comprehension (must be list, map, or dynamic)"),
            };
            var first = loop.Names.Length == 2 ? key : target.Kind is Shape.MapKind ? Shape.Text : item;
            var inner = new Scope(scope, loop.Names[0], first);
            inner = loop.Names.Length == 2 ? new Scope(inner, loop.Names[1], item) : inner;
            if (loop.Where is not null && Visit(loop.Where, inner) is var where && !where.Fits(Shape.Bool))
            {
                throw NoOverload(loop, "_?_:_", $"({where}, list({item}), list({item}))");
            }

            var body = Visit(loop.Body, inner);
            if (loop.Kind is "map")
            {
                return Shape.ListOf(body);
            }

            return !body.Fits(Shape.Bool) ? throw NoOverload(loop, loop.Kind is "all" ? "_&&_" : "_||_", $"(bool, {body})")
                : loop.Kind is "filter" ? Shape.ListOf(first) : Shape.Bool;
        }

        private Shape OfCall(Expression.Call call, Scope? scope)
        {
            var target = call.Target is null ? null : Visit(call.Target, scope);
            var arguments = call.Arguments.Select(argument => Visit(argument, scope)).ToArray();
            var shown = string.Join(", ", arguments.Select(argument => argument.ToString()));
            return Signatures.Find(call.Function, target, arguments)
                ?? throw NoOverload(call, call.Function, target is null ? $"({shown})" : $"'{target}.({shown})");
        }

        private static Shape Common(IEnumerable<Shape> items)
        {
            var all = items.Distinct().ToList();
            return all.Count == 1 ? all[0] : Shape.Dyn;
        }

        private static bool IsNumber(Shape shape) => shape.Kind is "int" or "double" or "dyn";

        private static bool IsOrdered(Shape shape) =>
            shape.Kind is "dyn" or "bool" or "int" or "double" or "string" || shape == Shape.Duration || shape == Shape.Moment;

        private ExpressionException NoOverload(Expression at, string function, string applied) =>
            Wrong(at, $"found no matching overload for '{function}' applied to '{applied.TrimStart('\'')}'");

        private ExpressionException Wrong(Expression at, string what)
        {
            var start = text.LastIndexOf('\n', Math.Max(0, at.At - 1)) + 1;
            var line = text.AsSpan(0, start).Count('\n') + 1;
            var end = text.IndexOf('\n', start);
            var source = text[start..(end < 0 ? text.Length : end)];
            return new ExpressionException(
                $"compilation failed: ERROR: <input>:{line}:{at.At - start + 1}: {what}\n | {source}\n | {new string('.', at.At - start)}^");
        }
    }
}
