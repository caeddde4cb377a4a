// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>Selectors of workloads by the labels of their pods.</summary>
internal static class Selectors
{
    /// <summary>Null if there is none. One without labels selects everything and counts as none.</summary>
    public static LabelSelector? Read(ObjectReader owner, string name)
    {
        if (owner.Child(name) is not { } selector)
        {
            return null;
        }

        foreach (var (key, value) in selector.Map("matchLabels"))
        {
            if (key.Contains('*', StringComparison.Ordinal))
            {
                selector.Findings.Add(IstioMessages.SelectorWildcard, value.KeyPlace, key, value.Path);
            }
            else if (value.Value is Yaml.YamlScalar { Value: var text } && text.Contains('*', StringComparison.Ordinal))
            {
                value.Report(IstioMessages.SelectorWildcard, text, value.Path);
            }
            else
            {
                LabelSyntax.Check(key, value);
            }
        }

        var labels = selector.Labels("matchLabels");
        selector.Finish();
        return labels.Count == 0 ? null : new LabelSelector(labels);
    }
}
