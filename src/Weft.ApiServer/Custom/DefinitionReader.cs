// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Custom;

/// <summary>A stored CustomResourceDefinition as a kind that the server can serve.</summary>
internal static class DefinitionReader
{
    /// <param name="tree">A definition that the rules have accepted.</param>
    /// <param name="permanent">The built-in kind of that name, if there is one.</param>
    public static ResourceDefinition Read(JsonObject tree, ResourceDefinition? permanent)
    {
        var spec = tree["spec"]!.AsObject();
        var names = tree.At("status", "acceptedNames") as JsonObject ?? spec["names"]!.AsObject();
        var group = spec.Text("group")!;
        var plural = spec.At("names", "plural").Text()!;
        var versions = spec["versions"].Items().ToList();
        var served = versions.Where(version => version.Flag("served") ?? false).ToDictionary(
            version => version.Text("name")!, version => ReadVersion(version, spec), StringComparer.Ordinal);
        var stored = versions.First(version => version.Flag("storage") ?? false);
        var storedName = permanent?.StorageVersion ?? stored.Text("name")!;
        var first = served.GetValueOrDefault(storedName) ?? served.Values.FirstOrDefault() ?? ReadVersion(stored, spec);
        var kind = names.Text("kind")!;
        return new ResourceDefinition
        {
            Group = group,
            Versions = [.. served.Keys.Union(permanent?.Versions ?? [], StringComparer.Ordinal).Order(VersionOrder.Preferred)],
            StorageVersion = storedName,
            Plural = plural,
            Singular = names.Text("singular") ?? kind.ToLowerInvariant(),
            Kind = kind,
            ListKind = names.Text("listKind") ?? kind + "List",
            Namespaced = spec.Text("scope") is not "Cluster",
            ShortNames = Texts(names["shortNames"]),
            Categories = Texts(names["categories"]),
            Type = TypeName(group, plural),
            HasStatus = first.HasStatus || permanent is { HasStatus: true },
            HasScale = first.Scale is not null,
            HasGeneration = true,
            Custom = true,
            Terminating = tree.At("metadata", "deletionTimestamp") is not null,
            CustomVersions = served,
        };
    }

    public static string TypeName(string group, string plural) => $"crd:{plural}.{group}";

    /// <summary>The schema of a version; the older place, one for all versions, is not served by this version of the API.</summary>
    public static JsonObject SchemaOf(JsonObject version) => version.At("schema", "openAPIV3Schema") as JsonObject ?? [];

    private static CustomVersion ReadVersion(JsonObject version, JsonObject spec)
    {
        var document = SchemaOf(version);
        var scale = version.At("subresources", "scale") as JsonObject;
        var name = version.Text("name")!;
        return new CustomVersion
        {
            Name = name,
            Schema = StructuralSchema.Read(document),
            Document = document,
            Layout = Layout(version["additionalPrinterColumns"]),
            HasStatus = version.At("subresources", "status") is not null,
            Scale = scale is null ? null : new ScalePaths(
                ColumnPath.Parse(scale.Text("specReplicasPath") ?? ""),
                ColumnPath.Parse(scale.Text("statusReplicasPath") ?? ""),
                scale.Text("labelSelectorPath") is { Length: > 0 } selector ? ColumnPath.Parse(selector) : null),
            SelectableFields = [.. version["selectableFields"].Items().Select(field => (field.Text("jsonPath") ?? "").TrimStart('.'))],
            Deprecation = version.Flag("deprecated") ?? false
                ? version.Text("deprecationWarning") ?? $"{spec.Text("group")}/{name} {spec.At("names", "kind").Text()} is deprecated"
                : null,
        };
    }

    private static TableLayout Layout(JsonNode? columns)
    {
        var wanted = columns.Items().Select(column => (
            Column: new Column(
                column.Text("name") ?? "", column.Text("type") ?? "string", column.Text("format") ?? "", (int)(column.Number("priority") ?? 0)),
            Path: ColumnPath.Parse(column.Text("jsonPath") ?? ""))).ToList();
        if (wanted.Count == 0)
        {
            wanted.Add((new Column("Age", "date"), ColumnPath.Parse(".metadata.creationTimestamp")));
        }

        return new TableLayout(
            [Column.ObjectName, .. wanted.Select(item => item.Column)],
            (tree, now) => [tree.At("metadata", "name").Text(), .. wanted.Select(item => Cell(item.Column.Type, item.Path.First(tree), now))]);
    }

    private static JsonNode? Cell(string type, JsonNode? value, DateTimeOffset now) => type switch
    {
        _ when value is null => null,
        "string" => value.Text() ?? JsonText.String(value),
        "integer" => value.Number() ?? (SchemaBounds.Fraction(value) is { } fraction ? (long)fraction : (long?)null),
        "number" => SchemaBounds.Fraction(value),
        "boolean" => value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? value.GetValue<bool>() : null,
        "date" => value.Text() is not { } text ? null
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _)
                ? HumanText.Age(value, now) : "<invalid>",
        _ => null,
    };

    private static string[] Texts(JsonNode? list) => list is JsonArray array ? [.. array.Select(item => item.Text() ?? "")] : [];
}
