// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Expressions;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>Asks an object every rule of its schema.</summary>
internal static class RuleSet
{
    public static void Check(StructuralSchema schema, JsonNode? value, JsonNode? old, string path, List<FieldError> errors) =>
        Visit(schema, value, old, path, new Evaluator(ApiLimits.RuleSteps), errors);

    private static void Visit(
        StructuralSchema schema, JsonNode? value, JsonNode? old, string path, Evaluator evaluator, List<FieldError> errors)
    {
        if (value is null || !schema.HasRules)
        {
            return;
        }

        foreach (var rule in schema.Rules.Where(rule => rule.Unsupported is null && (!rule.IsTransition || old is not null || rule.OptionalOld)))
        {
            Ask(schema, rule, value, old, path, evaluator, errors);
        }

        switch (value)
        {
            case JsonObject tree:
                foreach (var (name, item) in tree)
                {
                    if ((schema.Properties.GetValueOrDefault(name) ?? schema.Additional) is { } inner)
                    {
                        Visit(inner, item, old.At(name), path.Length == 0 ? name : path + "." + name, evaluator, errors);
                    }
                }

                break;
            case JsonArray list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    var place = string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]");
                    Visit(items, list[i], Counterpart(schema, list[i], old), place, evaluator, errors);
                }

                break;
        }
    }

    /// <summary>The item that an item of a keyed list was before; other lists have no such thing.</summary>
    private static JsonNode? Counterpart(StructuralSchema schema, JsonNode? item, JsonNode? old) =>
        schema.ListType is "map" && old is JsonArray before
            ? before.FirstOrDefault(other => schema.MapKeys.All(key => JsonNode.DeepEquals(other.At(key), item.At(key))))
            : null;

    private static void Ask(
        StructuralSchema schema, CustomRule rule, JsonNode value, JsonNode? old, string path, Evaluator evaluator, List<FieldError> errors)
    {
        var variables = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["self"] = value,
            ["oldSelf"] = rule.OptionalOld ? new Maybe(old is not null, Values.Of(old)) : old,
        };
        try
        {
            if (evaluator.Run(rule.Condition!, variables) is not true)
            {
                errors.Add(Refusal(schema, rule, path, evaluator, variables));
            }
        }
        catch (ExpressionException problem)
        {
            var shown = rule.Tree.Text("message") ?? rule.Text;
            errors.Add(FieldError.Invalid(Place(path), Kind(schema), $"{problem.Message} evaluating rule: {shown}"));
        }
    }

    private static FieldError Refusal(
        StructuralSchema schema, CustomRule rule, string path, Evaluator evaluator, Dictionary<string, object?> variables)
    {
        var message = rule.Tree.Text("message") ?? $"failed rule: {rule.Text}";
        if (rule.MessageExpression is not null)
        {
            try
            {
                message = evaluator.Run(rule.MessageExpression, variables) is string { Length: > 0 } made ? made : message;
            }
            catch (ExpressionException)
            {
                // As on a real server: a message that cannot be made gives way to the plain one.
            }
        }

        var place = Place(path + (rule.Tree.Text("fieldPath") ?? ""));
        return rule.Tree.Text("reason") switch
        {
            "FieldValueRequired" => FieldError.Required(place, message),
            "FieldValueForbidden" => FieldError.Forbidden(place, message),
            "FieldValueDuplicate" => FieldError.Duplicate(place, Kind(schema)),
            _ => FieldError.Invalid(place, Kind(schema), message),
        };
    }

    private static string Kind(StructuralSchema schema) => schema.Type.Length > 0 ? schema.Type : "string";

    private static string Place(string path) => path.Length == 0 ? "<nil>" : path.TrimStart('.');
}
