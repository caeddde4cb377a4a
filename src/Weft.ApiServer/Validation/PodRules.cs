// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Validation;

/// <summary>Pods and the pod specs of templates.</summary>
internal static class PodRules
{
    private const string UpdateForbidden =
        "pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, " +
        "`spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to existing tolerations) or " +
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

    public static void Check(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        Spec(tree["spec"] as JsonObject ?? [], "spec", errors);
        if (old is null)
        {
            return;
        }

        var before = Fixed(old);
        if (string.IsNullOrEmpty(before.Text("nodeName")) && tree.At("spec", "nodeName").Text() is { } node)
        {
            // A pod without a node may be given one; the node agent does without the binding subresource.
            before["nodeName"] = node;
        }

        if (!JsonNode.DeepEquals(before, Fixed(tree)))
        {
            errors.Add(FieldError.Forbidden("spec", UpdateForbidden));
        }
    }

    /// <param name="claimed">Volumes that a controller adds to the spec: those of a StatefulSet's claim templates.</param>
    public static void Spec(JsonObject spec, string path, List<FieldError> errors, IEnumerable<string>? claimed = null)
    {
        var volumes = spec["volumes"].Items().Select(item => item.Text("name") ?? "").Concat(claimed ?? []).ToHashSet(StringComparer.Ordinal);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var containers = spec["containers"].Items().ToList();
        if (containers.Count == 0)
        {
            errors.Add(FieldError.Required(path + ".containers"));
        }

        for (var i = 0; i < containers.Count; i++)
        {
            Container(containers[i], $"{path}.containers[{i}]", names, volumes, errors);
        }

        var inits = spec["initContainers"].Items().ToList();
        for (var i = 0; i < inits.Count; i++)
        {
            Container(inits[i], $"{path}.initContainers[{i}]", names, volumes, errors);
        }

        OneOf(spec, path, "restartPolicy", errors, "Always", "OnFailure", "Never");
        OneOf(spec, path, "dnsPolicy", errors, "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None");
        if (spec.Number("terminationGracePeriodSeconds") is < 0 and var grace)
        {
            errors.Add(FieldError.Invalid(
                path + ".terminationGracePeriodSeconds", grace, "must be greater than or equal to 0"));
        }

        if (spec.Text("serviceAccountName") is { Length: > 0 } account)
        {
            errors.AddRange(NameText.DnsSubdomain(account)
                .Select(problem => FieldError.Invalid(path + ".serviceAccountName", account, problem)));
        }
    }

    private static void Container(
        JsonObject container, string path, HashSet<string> names, HashSet<string> volumes, List<FieldError> errors)
    {
        var name = container.Text("name") ?? "";
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required(path + ".name"));
        }
        else
        {
            errors.AddRange(NameText.DnsLabel(name).Select(problem => FieldError.Invalid(path + ".name", name, problem)));
            if (!names.Add(name))
            {
                errors.Add(FieldError.Duplicate(path + ".name", name));
            }
        }

        if (string.IsNullOrEmpty(container.Text("image")))
        {
            errors.Add(FieldError.Required(path + ".image"));
        }

        Ports(container, path, errors);
        Environment(container, path, errors);
        var mounts = container["volumeMounts"].Items().ToList();
        for (var i = 0; i < mounts.Count; i++)
        {
            var volume = mounts[i].Text("name") ?? "";
            if (!volumes.Contains(volume))
            {
                errors.Add(FieldError.NotFound($"{path}.volumeMounts[{i}].name", volume));
            }
        }

        OneOf(container, path, "imagePullPolicy", errors, "Always", "IfNotPresent", "Never");
    }

    private static void Ports(JsonObject container, string path, List<FieldError> errors)
    {
        var ports = container["ports"].Items().ToList();
        for (var i = 0; i < ports.Count; i++)
        {
            var field = $"{path}.ports[{i}]";
            if (ports[i].Text("name") is { Length: > 0 } name)
            {
                errors.AddRange(NameText.PortName(name).Select(problem => FieldError.Invalid(field + ".name", name, problem)));
            }

            if (ports[i].Number("containerPort") is not { } port)
            {
                errors.Add(FieldError.Required(field + ".containerPort"));
            }
            else if (port is < 1 or > 65535)
            {
                errors.Add(FieldError.Invalid(field + ".containerPort", port, "must be between 1 and 65535, inclusive"));
            }

            OneOf(ports[i], field, "protocol", errors, "SCTP", "TCP", "UDP");
        }
    }

    private static void Environment(JsonObject container, string path, List<FieldError> errors)
    {
        var variables = container["env"].Items().ToList();
        for (var i = 0; i < variables.Count; i++)
        {
            if (string.IsNullOrEmpty(variables[i].Text("name")))
            {
                errors.Add(FieldError.Required($"{path}.env[{i}].name"));
            }

            if (variables[i]["valueFrom"] is not null && variables[i].Text("value") is { Length: > 0 })
            {
                errors.Add(FieldError.Invalid(
                    $"{path}.env[{i}].valueFrom", "", "may not be specified when `value` is not empty"));
            }
        }
    }

    private static void OneOf(JsonObject tree, string path, string field, List<FieldError> errors, params string[] allowed)
    {
        if (tree.Text(field) is { } value && !allowed.Contains(value, StringComparer.Ordinal))
        {
            errors.Add(FieldError.NotSupported($"{path}.{field}", value, allowed));
        }
    }

    /// <summary>The part of a pod's spec that never changes.</summary>
    private static JsonObject Fixed(JsonObject pod)
    {
        var spec = (JsonObject?)pod["spec"]?.DeepClone() ?? [];
        foreach (var container in spec["containers"].Items().Concat(spec["initContainers"].Items()))
        {
            container.Remove("image");
        }

        foreach (var field in new[] { "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds" })
        {
            spec.Remove(field);
        }

        return spec;
    }
}
