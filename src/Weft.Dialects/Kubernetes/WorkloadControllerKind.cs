// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>Deployment and ReplicaSet: they keep pods of a template; the mesh only looks at the pods.</summary>
internal static class WorkloadControllerKind
{
    public static ParsedContent ParseDeployment(ObjectContext context) => Parse(
        context, "strategy", "minReadySeconds", "revisionHistoryLimit", "paused", "progressDeadlineSeconds");

    public static ParsedContent ParseReplicaSet(ObjectContext context) => Parse(context, "minReadySeconds");

    private static ParsedContent Parse(ObjectContext context, params ReadOnlySpan<string> otherFields)
    {
        context.Root.Ignore("status");
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish(KubernetesMessages.UnknownKubernetesField);
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        spec.Integer("replicas", 0, int.MaxValue);
        var selector = spec.Required("selector")?.AsObject();
        var template = spec.Required("template")?.AsObject();
        var metadata = template?.Child("metadata");
        spec.Ignore(otherFields);
        spec.Finish(KubernetesMessages.UnknownKubernetesField);
        if (selector is not null && template is not null)
        {
            LabelSelectors.Check(selector, metadata);
        }

        if (metadata is not null)
        {
            LabelSyntax.Check(metadata, "labels");
            LabelSyntax.CheckKeys(metadata, "annotations");
        }

        if (template?.Required("spec")?.AsObject() is { } pod)
        {
            PodSpecs.Check(pod);
        }

        template?.Finish(KubernetesMessages.UnknownKubernetesField);
        return ParsedContent.Nothing;
    }
}
