// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>Label selectors of controllers: matchLabels and matchExpressions.</summary>
internal static class LabelSelectors
{
    private static readonly Choices<bool> _operators = new(("In", true), ("NotIn", true), ("Exists", false), ("DoesNotExist", false));

    /// <summary>Checks the syntax, and that the labels of the template are selected.</summary>
    public static void Check(ObjectReader selector, ObjectReader? templateMetadata)
    {
        LabelSyntax.Check(selector, "matchLabels");
        var wanted = selector.Labels("matchLabels");
        var labels = templateMetadata?.Labels("labels") ?? [];
        foreach (var (key, value) in selector.Map("matchLabels"))
        {
            var label = wanted.First(candidate => string.Equals(candidate.Key, key, StringComparison.Ordinal));
            if (!labels.Contains(label))
            {
                value.Report(KubernetesMessages.SelectorMismatch, key, label.Value);
            }
        }

        foreach (var expression in selector.Children("matchExpressions"))
        {
            CheckExpression(expression);
        }

        if (wanted.Count == 0 && !selector.Has("matchExpressions"))
        {
            selector.Findings.Add(ReadingMessages.MissingField, selector.Place, "matchLabels", selector.Title);
        }

        selector.Finish(KubernetesMessages.UnknownKubernetesField);
    }

    private static void CheckExpression(ObjectReader expression)
    {
        expression.RequiredText("key");
        var values = expression.Texts("values");
        if (expression.Required("operator") is { } field && field.AsChoice(_operators) is { } needsValues && needsValues != values.Count > 0)
        {
            field.Report(KubernetesMessages.BadSelectorOperator, field.AsText()!, needsValues ? "needs values" : "must not have values");
        }

        expression.Finish(KubernetesMessages.UnknownKubernetesField);
    }
}
