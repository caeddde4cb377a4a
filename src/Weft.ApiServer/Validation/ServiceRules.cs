// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Validation;

/// <summary>Services.</summary>
internal static class ServiceRules
{
    private static readonly string[] _types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

    public static void Check(JsonObject tree, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        var type = spec.Text("type") ?? "";
        var ports = spec["ports"].Items().ToList();
        if (ports.Count == 0 && type is not "ExternalName" && spec.Text("clusterIP") is not "None")
        {
            errors.Add(FieldError.Required("spec.ports"));
        }

        Ports(ports, errors);
        if (!_types.Contains(type, StringComparer.Ordinal))
        {
            errors.Add(FieldError.NotSupported("spec.type", type, _types));
        }

        if (type is "ExternalName" && string.IsNullOrEmpty(spec.Text("externalName")))
        {
            errors.Add(FieldError.Required("spec.externalName"));
        }

        if (spec.Text("sessionAffinity") is not ("None" or "ClientIP"))
        {
            errors.Add(FieldError.NotSupported("spec.sessionAffinity", spec.Text("sessionAffinity") ?? "", "ClientIP", "None"));
        }

        MetadataRules.Labels(spec["selector"], "spec.selector", errors);
    }

    private static void Ports(List<JsonObject> ports, List<FieldError> errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var pairs = new HashSet<(long?, string?)>();
        for (var i = 0; i < ports.Count; i++)
        {
            var field = $"spec.ports[{i}]";
            Name(ports[i], field, ports.Count > 1, names, errors);
            Range(ports[i], field, "port", errors);
            if (ports[i]["targetPort"].Text() is { } target)
            {
                errors.AddRange(NameText.PortName(target)
                    .Select(problem => FieldError.Invalid(field + ".targetPort", target, problem)));
            }
            else
            {
                Range(ports[i], field, "targetPort", errors);
            }

            if (ports[i].Text("protocol") is not ("TCP" or "UDP" or "SCTP"))
            {
                errors.Add(FieldError.NotSupported(field + ".protocol", ports[i].Text("protocol") ?? "", "SCTP", "TCP", "UDP"));
            }

            if (!pairs.Add((ports[i].Number("port"), ports[i].Text("protocol"))))
            {
                errors.Add(FieldError.Duplicate(field, new Verbatim(
                    $"{{\"protocol\":\"{ports[i].Text("protocol")}\",\"port\":{ports[i].Number("port")}}}")));
            }
        }
    }

    private static void Name(JsonObject port, string field, bool required, HashSet<string> names, List<FieldError> errors)
    {
        var name = port.Text("name") ?? "";
        if (name.Length == 0)
        {
            if (required)
            {
                errors.Add(FieldError.Required(field + ".name"));
            }

            return;
        }

        errors.AddRange(NameText.DnsLabel(name).Select(problem => FieldError.Invalid(field + ".name", name, problem)));
        if (!names.Add(name))
        {
            errors.Add(FieldError.Duplicate(field + ".name", name));
        }
    }

    private static void Range(JsonObject port, string field, string name, List<FieldError> errors)
    {
        var number = port.Number(name) ?? 0;
        if (number is < 1 or > 65535)
        {
            errors.Add(FieldError.Invalid($"{field}.{name}", number, "must be between 1 and 65535, inclusive"));
        }
    }
}
