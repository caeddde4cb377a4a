// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>exportTo: the namespaces that see an object. None named: all of them.</summary>
internal static class ExportTo
{
    public static Visibility Read(ObjectContext context, ObjectReader spec)
    {
        var written = spec.Texts("exportTo");
        var namespaces = new List<string>();
        foreach (var (text, field) in written)
        {
            if (text is "*")
            {
                if (written.Count > 1)
                {
                    field.Report(IstioMessages.BadExportTo, text, "it cannot be combined with others");
                }

                continue;
            }

            var ns = text is "." ? context.Metadata.Namespace : text;
            if (NameRules.LabelProblem(ns) is { } problem)
            {
                field.Report(IstioMessages.BadExportTo, text, problem);
            }
            else if (namespaces.Contains(ns))
            {
                field.Report(IstioMessages.BadExportTo, text, "the namespace is given twice");
            }
            else
            {
                namespaces.Add(ns);
            }
        }

        return namespaces.Count == 0 ? Visibility.All : new Visibility(false, [.. namespaces]);
    }
}
