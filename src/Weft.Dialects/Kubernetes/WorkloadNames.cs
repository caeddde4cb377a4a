// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Plan;

namespace Weft.Dialects.Kubernetes;

/// <summary>How metrics call a pod: the controller that made it, and its canonical service and revision.</summary>
internal static class WorkloadNames
{
    private const string TemplateHash = "pod-template-hash";

    public static WorkloadNamePlan Of(ObjectReader root, ObjectContext context, string account)
    {
        var workload = Label(context, "service.istio.io/workload-name") ?? Owner(root, context) ?? context.Metadata.Name;
        return new WorkloadNamePlan(
            workload,
            context.Metadata.Namespace,
            Label(context, "service.istio.io/canonical-name")
                ?? Label(context, "app.kubernetes.io/name") ?? Label(context, "app") ?? workload,
            Label(context, "service.istio.io/canonical-revision")
                ?? Label(context, "app.kubernetes.io/version") ?? Label(context, "version") ?? "latest",
            context.Options.ClusterName,
            account,
            Label(context, "app") ?? "",
            Label(context, "version") ?? "");
    }

    private static string? Owner(ObjectReader root, ObjectContext context)
    {
        var owner = root.Child("metadata")?.Children("ownerReferences").FirstOrDefault(reader => reader.Boolean("controller") is true);
        var (kind, name) = (owner?.Text("kind"), owner?.Text("name"));
        if (kind is not "ReplicaSet" || name is null)
        {
            return name;
        }

        // A Deployment names its ReplicaSets after itself and the hash of their template, and labels the pods with the hash.
        var suffix = "-" + Label(context, TemplateHash);
        return suffix.Length > 1 && name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : name;
    }

    private static string? Label(ObjectContext context, string key)
    {
        foreach (var label in context.Metadata.Labels)
        {
            if (string.Equals(label.Key, key, StringComparison.Ordinal) && label.Value.Length > 0)
            {
                return label.Value;
            }
        }

        return null;
    }
}
