// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>exportTo: the namespaces that see an object. None named: all of them.</summary>
internal static class ExportTo
{
    private const string Annotation = "networking.istio.io/exportTo";

    /// <param name="context">Of the object.</param>
    /// <param name="spec">Has the field.</param>
    /// <param name="takesNobody">True where <c>~</c> hides the object from everybody.</param>
    public static Visibility Read(ObjectContext context, ObjectReader spec, bool takesNobody = false)
    {
        var written = spec.Texts("exportTo");
        return Of(context, [.. written.Select(text => text.Key)], takesNobody, (at, text, problem) => written[at].Value.Report(IstioMessages.BadExportTo, text, problem));
    }

    /// <summary>What a Service's annotation says, in the same words.</summary>
    public static Visibility Read(ObjectContext context, Annotations annotations) => Of(
        context,
        annotations.Text(Annotation)?.Split(',', StringSplitOptions.TrimEntries) ?? [],
        takesNobody: true,
        (_, text, problem) => annotations.Reject(Annotation, $"of '{text}' {problem}"));

    private static Visibility Of(ObjectContext context, string[] written, bool takesNobody, Action<int, string, string> refuse)
    {
        var namespaces = new List<string>();
        for (var i = 0; i < written.Length; i++)
        {
            var text = written[i];
            if (text is "*" || (takesNobody && text is "~"))
            {
                if (written.Length > 1)
                {
                    refuse(i, text, "it cannot be combined with others");
                }

                continue;
            }

            var ns = text is "." ? context.Metadata.Namespace : text;
            if (NameRules.LabelProblem(ns) is { } problem)
            {
                refuse(i, text, problem);
            }
            else if (namespaces.Contains(ns))
            {
                refuse(i, text, "the namespace is given twice");
            }
            else
            {
                namespaces.Add(ns);
            }
        }

        return written is [] ? Visibility.Unsaid : namespaces.Count > 0 || written is ["~"] ? new Visibility(false, [.. namespaces]) : Visibility.All;
    }
}
