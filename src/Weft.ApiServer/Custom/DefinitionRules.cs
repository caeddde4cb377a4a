// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Validation;

namespace Weft.ApiServer.Custom;

/// <summary>What makes a CustomResourceDefinition invalid; <c>old</c> is null for a new one.</summary>
internal static class DefinitionRules
{
    private const string Approval = "api-approved.kubernetes.io";

    public static void Check(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var spec = tree["spec"] as JsonObject ?? [];
        var names = spec["names"] as JsonObject ?? [];
        var name = tree.At("metadata", "name").Text() ?? "";
        if (name != names.Text("plural") + "." + spec.Text("group"))
        {
            errors.Add(FieldError.Invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
        }

        Group(tree, spec, errors);
        Scope(spec, errors);
        Names(names, errors);
        Versions(spec, errors);
        if (spec.Flag("preserveUnknownFields") ?? false)
        {
            errors.Add(FieldError.Invalid("spec.preserveUnknownFields", true, "must be false"));
        }

        Conversion(spec, errors);
        if (old is not null)
        {
            Unchanged(tree, old, errors);
        }
    }

    /// <summary>What its author should know of a definition that is accepted.</summary>
    public static IEnumerable<string> Warnings(JsonObject tree)
    {
        var all = tree.At("spec", "versions").Items().SelectMany(version => RuleWords.NotEnforced(
            DefinitionReader.SchemaOf(version), $"spec.versions[{version.Text("name")}]")).ToList();
        return all.Count <= ApiLimits.NamedRules
            ? all
            : [.. all.Take(ApiLimits.NamedRules), $"{all.Count - ApiLimits.NamedRules} more rules are stored and not enforced"];
    }

    private static void Group(JsonObject tree, JsonObject spec, List<FieldError> errors)
    {
        var group = spec.Text("group") ?? "";
        if (group.Length == 0)
        {
            errors.Add(FieldError.Required("spec.group"));
        }
        else if (NameText.DnsSubdomain(group).ToList() is { Count: > 0 } problems)
        {
            errors.Add(FieldError.Invalid("spec.group", group, string.Join(',', problems)));
        }
        else if (!group.Contains('.', StringComparison.Ordinal))
        {
            errors.Add(FieldError.Invalid("spec.group", group, "should be a domain with at least one dot"));
        }

        var owned = group is "k8s.io" or "kubernetes.io" || group.EndsWith(".k8s.io", StringComparison.Ordinal)
            || group.EndsWith(".kubernetes.io", StringComparison.Ordinal);
        if (owned && string.IsNullOrEmpty(tree.At("metadata", "annotations", Approval).Text()))
        {
            errors.Add(FieldError.Required(
                $"metadata.annotations[{Approval}]",
                $"protected groups must have approval annotation \"{Approval}\", see https://github.com/kubernetes/enhancements/pull/1111"));
        }
    }

    private static void Scope(JsonObject spec, List<FieldError> errors)
    {
        var scope = spec.Text("scope") ?? "";
        if (scope.Length == 0)
        {
            errors.Add(FieldError.Required("spec.scope"));
        }
        else if (scope is not ("Cluster" or "Namespaced"))
        {
            errors.Add(FieldError.NotSupported("spec.scope", scope, "Cluster", "Namespaced"));
        }
    }

    private static void Names(JsonObject names, List<FieldError> errors)
    {
        foreach (var field in new[] { "plural", "singular", "kind", "listKind" })
        {
            var text = names.Text(field) ?? "";
            var cased = field is "kind" or "listKind";
            if (text.Length == 0)
            {
                errors.Add(FieldError.Required("spec.names." + field));
            }
            else if (NameText.DnsLabel1035(cased ? text.ToLowerInvariant() : text).ToList() is { Count: > 0 } problems)
            {
                var start = cased ? "may have mixed case, but should otherwise match: " : "";
                errors.Add(FieldError.Invalid("spec.names." + field, text, start + string.Join(',', problems)));
            }
        }

        foreach (var field in new[] { "shortNames", "categories" })
        {
            var list = names[field] as JsonArray ?? [];
            for (var i = 0; i < list.Count; i++)
            {
                var text = list[i].Text() ?? "";
                errors.AddRange(NameText.DnsLabel1035(text).Select(problem =>
                    FieldError.Invalid($"spec.names.{field}[{i}]", text, problem)));
            }
        }

        if (names.Text("kind") is { Length: > 0 } kind && kind == names.Text("listKind"))
        {
            errors.Add(FieldError.Invalid("spec.names.listKind", kind, "kind and listKind may not be the same"));
        }
    }

    private static void Versions(JsonObject spec, List<FieldError> errors)
    {
        var versions = spec["versions"].Items().ToList();
        var names = versions.Select(version => version.Text("name") ?? "").ToList();
        var shown = new Verbatim(JsonText.String(spec["versions"]));
        if (names.Distinct(StringComparer.Ordinal).Count() != names.Count)
        {
            errors.Add(FieldError.Invalid("spec.versions", shown, "must contain unique version names"));
        }

        if (versions.Count(version => version.Flag("storage") ?? false) != 1)
        {
            errors.Add(FieldError.Invalid("spec.versions", shown, "must have exactly one version marked as storage version"));
        }

        for (var i = 0; i < versions.Count; i++)
        {
            var place = $"spec.versions[{i}]";
            errors.AddRange(NameText.DnsLabel1035(names[i]).Select(problem =>
                FieldError.Invalid(place + ".name", names[i], problem)));
            if (versions[i].Text("deprecationWarning") is not null && !(versions[i].Flag("deprecated") ?? false))
            {
                errors.Add(FieldError.Invalid(
                    place + ".deprecationWarning", versions[i].Text("deprecationWarning"), "can only be set for deprecated versions"));
            }

            if (versions[i].At("schema", "openAPIV3Schema") is not JsonObject)
            {
                errors.Add(FieldError.Required(place + ".schema.openAPIV3Schema", "schemas are required"));
            }
        }

        Parts(versions, errors);
    }

    /// <summary>What all versions have alike is one thing, and is named as such.</summary>
    private static void Parts(List<JsonObject> versions, List<FieldError> errors)
    {
        var oneSchema = versions.TrueForAll(version => JsonNode.DeepEquals(version["schema"], versions[0]["schema"]));
        var oneStatus = versions.TrueForAll(version => JsonNode.DeepEquals(version["subresources"], versions[0]["subresources"]));
        var oneTable = versions.TrueForAll(version =>
            JsonNode.DeepEquals(version["additionalPrinterColumns"], versions[0]["additionalPrinterColumns"]));
        for (var i = 0; i < versions.Count; i++)
        {
            var version = versions[i];
            var place = $"spec.versions[{i}]";
            if ((i == 0 || !oneSchema) && version.At("schema", "openAPIV3Schema") is JsonObject schema)
            {
                var path = oneSchema ? "spec.validation.openAPIV3Schema" : place + ".schema.openAPIV3Schema";
                StructureRules.Check(schema, path, version.At("subresources", "status") is not null, errors);
            }

            if ((i == 0 || !oneStatus) && version.At("subresources", "scale") is JsonObject scale)
            {
                Scale(scale, (oneStatus ? "spec" : place) + ".subresources.scale", errors);
            }

            if (i == 0 || !oneTable)
            {
                Columns(version["additionalPrinterColumns"], (oneTable ? "spec" : place) + ".additionalPrinterColumns", errors);
            }

            Selectable(version, place + ".selectableFields", errors);
        }
    }

    private static void Scale(JsonObject scale, string path, List<FieldError> errors)
    {
        foreach (var (field, root) in new[] { ("specReplicasPath", ".spec."), ("statusReplicasPath", ".status."), ("labelSelectorPath", "") })
        {
            var text = scale.Text(field) ?? "";
            if (text.Length == 0)
            {
                if (root.Length > 0)
                {
                    errors.Add(FieldError.Required($"{path}.{field}"));
                }

                continue;
            }

            if (!TryPath(text, out var parsed) || parsed!.Fields is null)
            {
                errors.Add(FieldError.Invalid($"{path}.{field}", text, "should be a simple json path without square brackets"));
            }
            else if (root.Length > 0
                ? !text.StartsWith(root, StringComparison.Ordinal)
                : !text.StartsWith(".spec.", StringComparison.Ordinal) && !text.StartsWith(".status.", StringComparison.Ordinal))
            {
                var wanted = root.Length > 0 ? root.TrimEnd('.') : ".spec or .status";
                errors.Add(FieldError.Invalid($"{path}.{field}", text, $"should be a json path under {wanted}"));
            }
        }
    }

    private static void Columns(JsonNode? columns, string path, List<FieldError> errors)
    {
        var list = columns.Items().ToList();
        for (var i = 0; i < list.Count; i++)
        {
            var place = $"{path}[{i}]";
            if (string.IsNullOrEmpty(list[i].Text("name")))
            {
                errors.Add(FieldError.Required(place + ".name"));
            }

            var type = list[i].Text("type") ?? "";
            if (type is not ("integer" or "number" or "string" or "boolean" or "date"))
            {
                errors.Add(type.Length == 0
                    ? FieldError.Required(place + ".type", "must be one of boolean,date,integer,number,string")
                    : FieldError.Invalid(place + ".type", type, "must be one of boolean,date,integer,number,string"));
            }

            var json = list[i].Text("jsonPath") ?? "";
            if (json.Length == 0)
            {
                errors.Add(FieldError.Required(place + ".jsonPath"));
            }
            else if (!TryPath(json, out _))
            {
                errors.Add(FieldError.Invalid(place + ".jsonPath", json, "must be a simple json path"));
            }
        }
    }

    private static void Selectable(JsonObject version, string path, List<FieldError> errors)
    {
        var fields = version["selectableFields"].Items().ToList();
        if (fields.Count > 8)
        {
            errors.Add(FieldError.TooMany(path, fields.Count, 8));
        }

        for (var i = 0; i < fields.Count; i++)
        {
            var text = fields[i].Text("jsonPath") ?? "";
            var place = $"{path}[{i}].jsonPath";
            if (text.Length == 0)
            {
                errors.Add(FieldError.Required(place));
                continue;
            }

            var schema = TryPath(text, out var parsed) && parsed!.Fields is { } steps && steps[0] is not "metadata"
                ? steps.Aggregate(version.At("schema", "openAPIV3Schema"), (node, step) => node.At("properties", step))
                : null;
            if (schema.At("type").Text() is not ("string" or "boolean" or "integer"))
            {
                errors.Add(FieldError.Invalid(
                    place, text, "is an invalid path: does not refer to a valid field of type string, boolean or integer"));
            }
        }
    }

    private static void Conversion(JsonObject spec, List<FieldError> errors)
    {
        switch (spec.At("conversion", "strategy").Text())
        {
            case null or "" or "None":
                return;
            case "Webhook":
                errors.Add(FieldError.Invalid(
                    "spec.conversion.strategy",
                    "Webhook",
                    "conversion webhooks are not called by this server: use None and keep the schemas of the versions alike"));
                return;
            case var other:
                errors.Add(FieldError.NotSupported("spec.conversion.strategy", other, "None", "Webhook"));
                return;
        }
    }

    private static void Unchanged(JsonObject tree, JsonObject old, List<FieldError> errors)
    {
        var established = DefinitionStatus.IsTrue(old, "Established");
        string[][] paths = established
            ? [["spec", "scope"], ["spec", "names", "kind"], ["spec", "group"], ["spec", "names", "plural"]]
            : [["spec", "group"], ["spec", "names", "plural"]];
        foreach (var path in paths.Where(path => tree.At(path).Text() != old.At(path).Text()))
        {
            errors.Add(FieldError.Invalid(string.Join('.', path), tree.At(path).Text(), "field is immutable"));
        }

        var names = tree.At("spec", "versions").Items().Select(version => version.Text("name")).ToList();
        var stored = old.At("status", "storedVersions") as JsonArray ?? [];
        for (var i = 0; i < stored.Count; i++)
        {
            if (!names.Contains(stored[i].Text(), StringComparer.Ordinal))
            {
                errors.Add(FieldError.Invalid(
                    $"status.storedVersions[{i}]", stored[i].Text(), "missing from spec.versions; " +
                    $"{stored[i].Text()} was previously a storage version, and must remain in spec.versions until a storage migration ensures " +
                    $"no data remains persisted in {stored[i].Text()} and removes {stored[i].Text()} from status.storedVersions"));
            }
        }
    }

    private static bool TryPath(string text, out ColumnPath? path)
    {
        try
        {
            path = ColumnPath.Parse(text);
            return true;
        }
        catch (FormatException)
        {
            path = null;
            return false;
        }
    }
}
