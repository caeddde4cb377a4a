// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>Node: its labels say where its pods run.</summary>
internal static class NodeKind
{
    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status", "spec");
        context.Root.Finish(KubernetesMessages.UnknownKubernetesField);
        return new ParsedContent(Node: new NodeSpec(context.Metadata.Name, LocalityLabels.Of(context.Metadata.Labels)));
    }
}
