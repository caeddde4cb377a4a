// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;

namespace Weft.Dialects.Istio;

/// <summary>WorkloadGroup: what the WorkloadEntries of machines are like that register themselves.</summary>
internal static class WorkloadGroupKind
{
    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        if (spec.Child("metadata") is { } metadata)
        {
            LabelSyntax.Check(metadata, "labels");
            metadata.Labels("labels");
            metadata.Labels("annotations");
            metadata.Finish();
        }

        if (spec.Required("template")?.AsObject() is { } template)
        {
            WorkloadEntryKind.ReadTemplate(context, template);
        }

        spec.NotSupported("probe");
        spec.Finish();
        return ParsedContent.Nothing;
    }
}
