// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>ServiceAccount: its name is the workload's identity; nothing else in it matters to the mesh.</summary>
internal static class ServiceAccountKind
{
    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Boolean("automountServiceAccountToken");
        context.Root.Ignore("secrets", "imagePullSecrets");
        context.Root.Finish(KubernetesMessages.UnknownKubernetesField);
        return ParsedContent.Nothing;
    }
}
