// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>Namespace: its labels and annotations decide about injection.</summary>
internal static class NamespaceKind
{
    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status", "spec");
        context.Root.Finish(KubernetesMessages.UnknownKubernetesField);
        return new ParsedContent(
            Namespace: new NamespaceSpec(context.Metadata.Name, context.Metadata.Labels, context.Metadata.Annotations));
    }
}
