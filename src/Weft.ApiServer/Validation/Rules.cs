// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Validation;

/// <summary>What makes an object invalid, kind by kind; <c>old</c> is null for new objects.</summary>
internal static class Rules
{
    public static IReadOnlyList<FieldError> Check(ResourceDefinition resource, JsonObject tree, JsonObject? old)
    {
        var errors = new List<FieldError>();
        MetadataRules.Check(resource, tree, errors);
        MetadataRules.Finalizers(tree, old, errors);
        switch (resource.GroupResource)
        {
            case CustomKinds.Resource:
                DefinitionRules.Check(tree, old, errors);
                break;
            case "pods":
                PodRules.Check(tree, old, errors);
                break;
            case "services":
                ServiceRules.Check(tree, errors);
                break;
            case "configmaps" or "secrets":
                Configuration(resource, tree, old, errors);
                break;
            case "deployments.apps" or "replicasets.apps" or "statefulsets.apps" or "daemonsets.apps":
                WorkloadRules.Check(resource, tree, old, errors);
                break;
            case "jobs.batch":
                BatchRules.Job(tree, old, errors);
                break;
            case "cronjobs.batch":
                BatchRules.CronJob(tree, errors);
                break;
            case "horizontalpodautoscalers.autoscaling":
                BatchRules.Autoscaler(tree, errors);
                break;
            case "poddisruptionbudgets.policy":
                BatchRules.DisruptionBudget(tree, errors);
                break;
            default:
                OfCluster(resource, tree, old, errors);
                break;
        }

        return errors;
    }

    private static void OfCluster(ResourceDefinition resource, JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        switch (resource.GroupResource)
        {
            case "roles.rbac.authorization.k8s.io" or "clusterroles.rbac.authorization.k8s.io":
                ClusterRules.Role(tree, resource.Kind is "ClusterRole", errors);
                break;
            case "rolebindings.rbac.authorization.k8s.io" or "clusterrolebindings.rbac.authorization.k8s.io":
                ClusterRules.Binding(resource, tree, old, errors);
                break;
            case "ingresses.networking.k8s.io":
                ClusterRules.Ingress(tree, errors);
                break;
            case "mutatingwebhookconfigurations.admissionregistration.k8s.io"
                or "validatingwebhookconfigurations.admissionregistration.k8s.io":
                ClusterRules.Webhooks(tree, errors);
                break;
            case "priorityclasses.scheduling.k8s.io":
                ClusterRules.PriorityClass(tree, old, errors);
                break;
            case "certificatesigningrequests.certificates.k8s.io" when old is null:
                Verbs.SigningRequests.Check(tree, errors);
                break;
            case Defaults.LocalServices.Resource:
                Defaults.LocalServices.Check(tree, errors);
                break;
            case "events.events.k8s.io" when old is null:
                EventRules.Check(tree, errors);
                break;
            case "endpointslices.discovery.k8s.io":
                EndpointSlice(tree, old, errors);
                break;
        }
    }

    private static void Configuration(ResourceDefinition resource, JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var total = 0L;
        foreach (var field in new[] { "data", "binaryData" })
        {
            foreach (var (key, value) in tree[field] as JsonObject ?? [])
            {
                total += Encoding.UTF8.GetByteCount(value.Text() ?? "");
                errors.AddRange(NameText.ConfigurationKey(key).Select(problem =>
                    FieldError.Invalid($"{field}[{key}]", key, problem)));
            }
        }

        if (resource.Plural is "secrets")
        {
            SecretKeys(tree, errors);
        }

        if (total > ApiLimits.ConfigurationBytes)
        {
            errors.Add(FieldError.TooLong(resource.Plural is "secrets" ? "data" : "[]", ApiLimits.ConfigurationBytes));
        }

        if (old is null)
        {
            return;
        }

        if (resource.Plural is "secrets" && old.Text("type") != tree.Text("type"))
        {
            errors.Add(FieldError.Invalid("type", tree.Text("type"), "field is immutable"));
        }

        if (!(old.Flag("immutable") ?? false))
        {
            return;
        }

        foreach (var field in new[] { "data", "binaryData", "immutable" })
        {
            if (!JsonNode.DeepEquals(old[field], tree[field]))
            {
                errors.Add(FieldError.Forbidden(field, "field is immutable when `immutable` is set"));
            }
        }
    }

    private static void SecretKeys(JsonObject tree, List<FieldError> errors)
    {
        string[] required = tree.Text("type") switch
        {
            "kubernetes.io/tls" => ["tls.crt", "tls.key"],
            "kubernetes.io/dockerconfigjson" => [".dockerconfigjson"],
            "kubernetes.io/dockercfg" => [".dockercfg"],
            "kubernetes.io/ssh-auth" => ["ssh-privatekey"],
            "kubernetes.io/basic-auth" => ["username", "password"],
            _ => [],
        };
        var data = tree["data"] as JsonObject ?? [];
        var either = tree.Text("type") is "kubernetes.io/basic-auth";
        if (either && required.Any(data.ContainsKey))
        {
            return;
        }

        errors.AddRange(required.Where(key => !data.ContainsKey(key)).Select(key => FieldError.Required($"data[{key}]")));
    }

    private static void EndpointSlice(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var type = tree.Text("addressType");
        if (string.IsNullOrEmpty(type))
        {
            errors.Add(FieldError.Required("addressType"));
        }
        else if (type is not ("IPv4" or "IPv6" or "FQDN"))
        {
            errors.Add(FieldError.NotSupported("addressType", type, "FQDN", "IPv4", "IPv6"));
        }

        if (old is not null && old.Text("addressType") != type)
        {
            errors.Add(FieldError.Invalid("addressType", type, "field is immutable"));
        }
    }
}
