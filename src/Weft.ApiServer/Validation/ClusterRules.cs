// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Validation;

/// <summary>Rights, networking, storage and webhooks.</summary>
internal static class ClusterRules
{
    private const int LongestTimeout = 30;

    public static void Role(JsonObject tree, bool cluster, List<FieldError> errors)
    {
        var rules = tree["rules"].Items().ToList();
        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i];
            var path = $"rules[{i}]";
            if (rule["verbs"] is not JsonArray { Count: > 0 })
            {
                errors.Add(FieldError.Required(path + ".verbs", "verbs must contain at least one value"));
            }

            if (rule["nonResourceURLs"] is JsonArray { Count: > 0 })
            {
                if (!cluster)
                {
                    errors.Add(FieldError.Invalid(
                        path + ".nonResourceURLs", new Verbatim(JsonText.String(rule["nonResourceURLs"])), "namespaced rules cannot apply to non-resource URLs"));
                }

                continue;
            }

            if (rule["apiGroups"] is not JsonArray { Count: > 0 })
            {
                errors.Add(FieldError.Required(path + ".apiGroups", "resource rules must supply at least one api group"));
            }

            if (rule["resources"] is not JsonArray { Count: > 0 })
            {
                errors.Add(FieldError.Required(path + ".resources", "resource rules must supply at least one resource"));
            }
        }
    }

    public static void Binding(ResourceDefinition resource, JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var role = tree["roleRef"] as JsonObject ?? [];
        string[] kinds = resource.Kind is "RoleBinding" ? ["Role", "ClusterRole"] : ["ClusterRole"];
        if (role.Text("apiGroup") is not "rbac.authorization.k8s.io")
        {
            errors.Add(FieldError.NotSupported("roleRef.apiGroup", role.Text("apiGroup") ?? "", "rbac.authorization.k8s.io"));
        }

        if (!kinds.Contains(role.Text("kind"), StringComparer.Ordinal))
        {
            errors.Add(FieldError.NotSupported("roleRef.kind", role.Text("kind") ?? "", kinds));
        }

        if (string.IsNullOrEmpty(role.Text("name")))
        {
            errors.Add(FieldError.Required("roleRef.name"));
        }

        var subjects = tree["subjects"].Items().ToList();
        for (var i = 0; i < subjects.Count; i++)
        {
            Subject(subjects[i], $"subjects[{i}]", resource.Namespaced, errors);
        }

        if (old is not null && !JsonNode.DeepEquals(old["roleRef"], role))
        {
            errors.Add(FieldError.Invalid(
                "roleRef",
                new Verbatim($"rbac.RoleRef{{APIGroup:\"{role.Text("apiGroup")}\", Kind:\"{role.Text("kind")}\", Name:\"{role.Text("name")}\"}}"),
                "cannot change roleRef"));
        }
    }

    public static void Ingress(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        var rules = spec["rules"].Items().ToList();
        if (rules.Count == 0 && spec["defaultBackend"] is null)
        {
            errors.Add(FieldError.Invalid("spec", new Verbatim("[]networking.IngressRule(nil)"), "either `defaultBackend` or `rules` must be specified"));
        }

        for (var i = 0; i < rules.Count; i++)
        {
            var paths = rules[i].At("http", "paths").Items().ToList();
            for (var j = 0; j < paths.Count; j++)
            {
                var path = $"spec.rules[{i}].http.paths[{j}]";
                var type = paths[j].Text("pathType");
                if (string.IsNullOrEmpty(type))
                {
                    errors.Add(FieldError.Required(path + ".pathType", "pathType must be specified"));
                }
                else if (type is not ("Exact" or "ImplementationSpecific" or "Prefix"))
                {
                    errors.Add(FieldError.NotSupported(path + ".pathType", type, "Exact", "ImplementationSpecific", "Prefix"));
                }
                else if (type is not "ImplementationSpecific" && !(paths[j].Text("path") ?? "").StartsWith('/'))
                {
                    errors.Add(FieldError.Invalid(path + ".path", paths[j].Text("path") ?? "", "must be an absolute path"));
                }
            }
        }
    }

    public static void Webhooks(JsonObject tree, List<FieldError> errors)
    {
        var webhooks = tree["webhooks"].Items().ToList();
        for (var i = 0; i < webhooks.Count; i++)
        {
            Webhook(webhooks[i], $"webhooks[{i}]", errors);
        }
    }

    public static void PriorityClass(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        if (old is not null && old.Number("value") != tree.Number("value"))
        {
            errors.Add(FieldError.Forbidden("value", "may not be changed in an update."));
        }
    }

    private static void Subject(JsonObject subject, string path, bool namespaced, List<FieldError> errors)
    {
        if (string.IsNullOrEmpty(subject.Text("name")))
        {
            errors.Add(FieldError.Required(path + ".name"));
        }

        switch (subject.Text("kind"))
        {
            case "ServiceAccount":
                if (!namespaced && string.IsNullOrEmpty(subject.Text("namespace")))
                {
                    errors.Add(FieldError.Required(path + ".namespace"));
                }

                break;
            case "User" or "Group":
                break;
            default:
                errors.Add(FieldError.NotSupported(path + ".kind", subject.Text("kind") ?? "", "ServiceAccount", "User", "Group"));
                break;
        }
    }

    private static void Webhook(JsonObject webhook, string path, List<FieldError> errors)
    {
        var name = webhook.Text("name") ?? "";
        if (name.Split('.').Length < 3)
        {
            errors.Add(FieldError.Invalid(path + ".name", name, "should be a domain with at least three segments separated by dots"));
        }

        if (webhook.Text("sideEffects") is not ("None" or "NoneOnDryRun"))
        {
            errors.Add(FieldError.NotSupported(path + ".sideEffects", webhook.Text("sideEffects") ?? "", "None", "NoneOnDryRun"));
        }

        if (!(webhook["admissionReviewVersions"] as JsonArray ?? []).Any(item => item.Text() is "v1"))
        {
            errors.Add(FieldError.Invalid(
                path + ".admissionReviewVersions", new Verbatim(JsonText.String(webhook["admissionReviewVersions"])), "must include at least one of v1"));
        }

        if (webhook.Number("timeoutSeconds") is < 1 or > LongestTimeout)
        {
            errors.Add(FieldError.Invalid(path + ".timeoutSeconds", webhook.Number("timeoutSeconds"), "the timeout value must be between 1 and 30 seconds"));
        }

        var url = webhook.At("clientConfig", "url").Text();
        if (url is null == (webhook.At("clientConfig", "service") is null))
        {
            errors.Add(FieldError.Required(path + ".clientConfig", "exactly one of url or service is required"));
        }
        else if (url is not null && !url.StartsWith("https://", StringComparison.Ordinal))
        {
            errors.Add(FieldError.Invalid(path + ".clientConfig.url", url, "'https' is the only allowed URL scheme"));
        }

        if (webhook["matchConditions"] is JsonArray { Count: > 0 })
        {
            errors.Add(FieldError.Forbidden(path + ".matchConditions", "this server does not evaluate CEL; use rules and selectors"));
        }
    }
}
