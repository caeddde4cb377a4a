// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Selectors;

/// <summary>A parsed <c>fieldSelector</c> parameter; the fields that may be asked depend on the kind.</summary>
public sealed class FieldSelector
{
    private static readonly Dictionary<string, string[]> _fields = new(StringComparer.Ordinal)
    {
        ["pods"] =
        [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
            "status.phase", "status.podIP", "status.nominatedNodeName",
        ],
        ["events"] =
        [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
            "reportingComponent", "source", "type",
        ],
        ["secrets"] = ["type"],
        ["namespaces"] = ["status.phase"],
        ["nodes"] = ["spec.unschedulable"],
        ["services"] = ["spec.clusterIP", "spec.type"],
        ["replicasets.apps"] = ["status.replicas"],
    };

    private readonly List<(string Field, string Value, bool Equal)> _requirements = [];

    public bool IsEmpty => _requirements.Count == 0;

    /// <summary>The name that the selector asks for, when it asks for exactly one.</summary>
    public string? SingleName { get; private set; }

    public static FieldSelector Parse(string? text, ResourceDefinition resource)
    {
        var selector = new FieldSelector();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                throw ApiException.BadRequest($"invalid field selector \"{text}\"; can't understand '{part}'");
            }

            var equal = part[at - 1] != '!';
            var field = part[..(equal ? at : at - 1)];
            field = EventVersions.Differ(resource) ? EventVersions.StoredField(field) : field;
            var value = part[(at + 1)..].TrimStart('=');
            if (field is not ("metadata.name" or "metadata.namespace")
                && !_fields.GetValueOrDefault(resource.StoredAs, []).Contains(field, StringComparer.Ordinal)
                && !(resource.CustomVersions?.Values.Any(version => version.SelectableFields.Contains(field, StringComparer.Ordinal)) ?? false))
            {
                throw ApiException.BadRequest(_fields.ContainsKey(resource.StoredAs) || resource.CustomVersions is not null
                    ? $"field label not supported: {field}"
                    : $"\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
            }

            selector._requirements.Add((field, value, equal));
            if (equal && field is "metadata.name")
            {
                selector.SingleName = value;
            }
        }

        return selector;
    }

    public bool Matches(StoredObject item)
    {
        JsonObject? tree = null;
        foreach (var (field, value, equal) in _requirements)
        {
            var found = field switch
            {
                "metadata.name" => item.Key.Name,
                "metadata.namespace" => item.Key.Namespace,
                _ => Read(tree ??= item.Parse(), field),
            };
            if (string.Equals(found, value, StringComparison.Ordinal) != equal)
            {
                return false;
            }
        }

        return true;
    }

    private static string Read(JsonObject tree, string field)
    {
        var node = field is "source" ? tree.At("source", "component") : tree.At(field.Split('.'));
        return node switch
        {
            null when field is "spec.unschedulable" or "spec.hostNetwork" => "false",
            null when field is "status.replicas" => "0",
            null => "",
            _ => node.Text() ?? JsonText.String(node),
        };
    }
}
