// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Expressions;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>One rule of <c>x-kubernetes-validations</c>, parsed; a rule that this server cannot evaluate says why.</summary>
internal sealed class CustomRule
{
    private CustomRule(JsonObject tree) => Tree = tree;

    public JsonObject Tree { get; }

    public string Text => (Tree.Text("rule") ?? "").Trim();

    public Expression? Condition { get; private init; }

    public Expression? MessageExpression { get; private init; }

    /// <summary>Compares with the object before the change, so that it does not apply to new objects.</summary>
    public bool IsTransition { get; private init; }

    public bool OptionalOld => Tree.Flag("optionalOldSelf") ?? false;

    /// <summary>Why the rule is not enforced; null when it is.</summary>
    public string? Unsupported { get; private init; }

    /// <summary>What is wrong with the text of the rule; null when it can be read.</summary>
    public string? Broken { get; private init; }

    public static CustomRule Read(JsonObject tree)
    {
        try
        {
            var text = tree.Text("rule") ?? "";
            return new CustomRule(tree)
            {
                Condition = ExpressionParser.Parse(text),
                MessageExpression = tree.Text("messageExpression") is { Length: > 0 } message ? ExpressionParser.Parse(message) : null,
                IsTransition = text.Contains("oldSelf", StringComparison.Ordinal),
            };
        }
        catch (UnsupportedExpressionException problem)
        {
            return new CustomRule(tree) { Unsupported = problem.Message };
        }
        catch (ExpressionException problem)
        {
            return new CustomRule(tree) { Broken = problem.Message, Unsupported = problem.Message };
        }
    }
}
