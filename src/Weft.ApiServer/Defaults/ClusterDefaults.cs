// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Defaults;

/// <summary>Networking, storage, rights, quotas and webhooks.</summary>
internal static class ClusterDefaults
{
    private const string RightsGroup = "rbac.authorization.k8s.io";
    private const int WebhookSeconds = 10;

    public static void Apply(ResourceDefinition resource, JsonObject tree)
    {
        switch (resource.GroupResource)
        {
            case "poddisruptionbudgets.policy":
                tree.Child("status");
                break;
            case "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io":
                Binding(tree);
                break;
            case "roles.rbac.authorization.k8s.io" or "clusterroles.rbac.authorization.k8s.io":
                if (tree["rules"] is null)
                {
                    tree["rules"] = null;
                }

                break;
            case "ingressclasses.networking.k8s.io":
                (tree.At("spec", "parameters") as JsonObject)?.Missing("scope", "Cluster");
                break;
            case "ingresses.networking.k8s.io":
                tree.Child("status").Child("loadBalancer");
                break;
            case "networkpolicies.networking.k8s.io":
                NetworkPolicy(tree.Child("spec"));
                break;
            case "persistentvolumeclaims":
                tree.Child("spec").Missing("volumeMode", "Filesystem");
                tree.Child("status").Missing("phase", "Pending");
                break;
            case "persistentvolumes":
                tree.Child("spec").Missing("persistentVolumeReclaimPolicy", "Retain");
                tree.Child("spec").Missing("volumeMode", "Filesystem");
                tree.Child("status").Missing("phase", "Pending");
                break;
            case "storageclasses.storage.k8s.io":
                tree.Missing("reclaimPolicy", "Delete");
                tree.Missing("volumeBindingMode", "Immediate");
                break;
            case "limitranges":
                Limits(tree);
                break;
            case "resourcequotas":
                tree.Child("status");
                break;
            case "priorityclasses.scheduling.k8s.io":
                tree.Missing("preemptionPolicy", "PreemptLowerPriority");
                break;
            case "podtemplates":
                ObjectDefaults.Template(tree);
                break;
            case "replicationcontrollers":
                ReplicationController(tree);
                break;
            case "mutatingwebhookconfigurations.admissionregistration.k8s.io":
                Webhooks(tree, mutating: true);
                break;
            case "validatingwebhookconfigurations.admissionregistration.k8s.io":
                Webhooks(tree, mutating: false);
                break;
        }
    }

    private static void Binding(JsonObject tree)
    {
        if (tree["roleRef"] is JsonObject role && string.IsNullOrEmpty(role.Text("apiGroup")))
        {
            role["apiGroup"] = RightsGroup;
        }

        foreach (var subject in tree["subjects"].Items())
        {
            if (subject.Text("kind") is "User" or "Group" && string.IsNullOrEmpty(subject.Text("apiGroup")))
            {
                subject["apiGroup"] = RightsGroup;
            }
        }
    }

    private static void NetworkPolicy(JsonObject spec)
    {
        foreach (var port in spec["ingress"].Items().Concat(spec["egress"].Items()).SelectMany(rule => rule["ports"].Items()))
        {
            port.Missing("protocol", "TCP");
        }

        spec.Child("podSelector");
        if (spec["policyTypes"] is not JsonArray { Count: > 0 })
        {
            spec["policyTypes"] = spec["egress"] is JsonArray { Count: > 0 } ? new JsonArray("Ingress", "Egress") : new JsonArray("Ingress");
        }
    }

    /// <summary>A limit without a default is its own default; a request without one is the limit's.</summary>
    private static void Limits(JsonObject tree)
    {
        foreach (var item in tree.At("spec", "limits").Items().Where(item => item.Text("type") is "Container"))
        {
            Fill(item, "default", "max");
            Fill(item, "defaultRequest", "default");
            Fill(item, "defaultRequest", "min");
        }

        static void Fill(JsonObject item, string target, string source)
        {
            foreach (var (name, value) in (item[source] as JsonObject ?? []).ToArray())
            {
                item.Child(target).Missing(name, value!.DeepClone());
            }
        }
    }

    private static void ReplicationController(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec.Missing("replicas", 1);
        ObjectDefaults.Template(spec);
        if (spec.At("template", "metadata", "labels") is JsonObject { Count: > 0 } labels)
        {
            spec.Missing("selector", labels.DeepClone());
            tree.Child("metadata").Missing("labels", labels.DeepClone());
        }

        tree.Child("status").Missing("replicas", 0);
    }

    private static void Webhooks(JsonObject tree, bool mutating)
    {
        foreach (var webhook in tree["webhooks"].Items())
        {
            webhook.Missing("failurePolicy", "Fail");
            webhook.Missing("matchPolicy", "Equivalent");
            webhook.Missing("timeoutSeconds", WebhookSeconds);
            webhook.Child("namespaceSelector");
            webhook.Child("objectSelector");
            if (mutating)
            {
                webhook.Missing("reinvocationPolicy", "Never");
            }

            foreach (var rule in webhook["rules"].Items())
            {
                rule.Missing("scope", "*");
            }

            (webhook.At("clientConfig", "service") as JsonObject)?.Missing("port", 443);
        }
    }
}
