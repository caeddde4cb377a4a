// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Expressions;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>What makes the rules of a schema invalid when the definition is written: text that cannot be read, types that cannot meet.</summary>
internal static class RuleWords
{
    private const string Field = "x-kubernetes-validations";

    private static readonly string[] _reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

    public static void Check(JsonObject schema, string path, List<FieldError> errors) => Visit(schema, path, isRoot: true, correlated: true, errors);

    /// <summary>The rules that this server stores and does not enforce, each with its place and the reason.</summary>
    public static IEnumerable<string> NotEnforced(JsonObject schema, string path)
    {
        foreach (var tree in schema[Field].Items())
        {
            var rule = CustomRule.Read(tree);
            if (rule.Unsupported is { } why)
            {
                yield return $"{path}: the rule \"{rule.Text}\" is stored and not enforced: {why}";
            }
        }

        foreach (var inner in SchemaWords.Children(schema, path).SelectMany(child => NotEnforced(child.Schema, child.Path)))
        {
            yield return inner;
        }
    }

    /// <param name="correlated">False where an old value cannot be found for a new one: inside lists that are no maps.</param>
    private static void Visit(JsonObject schema, string path, bool isRoot, bool correlated, List<FieldError> errors)
    {
        var rules = schema[Field].Items().ToList();
        var shape = rules.Count > 0 ? Shape.Of(schema, isRoot) : Shape.Dyn;
        for (var i = 0; i < rules.Count; i++)
        {
            One(rules[i], schema, shape, correlated, $"{path}.{Field}[{i}]", errors);
        }

        foreach (var (place, inner) in SchemaWords.Children(schema, path))
        {
            var isItem = ReferenceEquals(inner, schema["items"]);
            Visit(inner, place, false, correlated && (!isItem || schema.Text("x-kubernetes-list-type") is "map"), errors);
        }
    }

    private static void One(JsonObject tree, JsonObject schema, Shape self, bool correlated, string path, List<FieldError> errors)
    {
        if (string.IsNullOrWhiteSpace(tree.Text("rule")))
        {
            errors.Add(FieldError.Required(path + ".rule", "rule is not specified"));
            return;
        }

        if (tree.Text("reason") is { Length: > 0 } reason && !_reasons.Contains(reason, StringComparer.Ordinal))
        {
            errors.Add(FieldError.NotSupported(path + ".reason", reason, _reasons));
        }

        if (tree.Text("fieldPath") is { Length: > 0 } field && !Leads(schema, field))
        {
            errors.Add(FieldError.Invalid(path + ".fieldPath", field, "does not refer to a valid field"));
        }

        var rule = CustomRule.Read(tree);
        var shown = new Verbatim(JsonText.String(tree));
        if (rule.Broken is { } problem)
        {
            errors.Add(FieldError.Invalid(path + ".rule", shown, problem));
            return;
        }

        if (rule.IsTransition && !correlated)
        {
            errors.Add(FieldError.Invalid(
                path + ".rule", rule.Text, $"oldSelf cannot be used on the uncorrelatable portion of the schema within {path[..path.LastIndexOf($".{Field}", StringComparison.Ordinal)]}"));
        }

        var variables = new Dictionary<string, Shape>(StringComparer.Ordinal)
        {
            ["self"] = self,
            ["oldSelf"] = rule.OptionalOld ? Shape.OptionalOf(self) : self,
        };
        if (rule.Condition is not null && Wrong(rule.Condition, tree.Text("rule")!, variables, Shape.Bool, "cel expression must evaluate to a bool") is { } wrong)
        {
            errors.Add(FieldError.Invalid(path + ".rule", shown, wrong));
        }

        if (rule.MessageExpression is { } message
            && Wrong(message, tree.Text("messageExpression")!, variables, Shape.Text, "messageExpression must evaluate to a string") is { } unsaid)
        {
            errors.Add(FieldError.Invalid(path + ".messageExpression", shown, unsaid));
        }
    }

    private static string? Wrong(Expression expression, string text, Dictionary<string, Shape> variables, Shape wanted, string otherwise)
    {
        try
        {
            return TypeChecker.Check(expression, text, variables).Fits(wanted) ? null : otherwise;
        }
        catch (ExpressionException problem)
        {
            return problem.Message;
        }
    }

    /// <summary>Whether a path such as <c>.spec.port</c> or <c>.labels['a']</c> names a field of the schema.</summary>
    private static bool Leads(JsonObject schema, string path)
    {
        JsonNode? node = schema;
        foreach (var step in path.Replace("['", ".", StringComparison.Ordinal).Replace("']", "", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            node = node.At("properties", step) ?? node.At("additionalProperties");
        }

        return node is JsonObject && path.StartsWith('.') || path.StartsWith("['", StringComparison.Ordinal) && node is JsonObject;
    }
}
