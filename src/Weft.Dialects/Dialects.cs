// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Dialects.Istio;
using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model;
using Weft.Model.Diagnostics;

namespace Weft.Dialects;

/// <summary>The front ends: from texts and API objects to what they mean, with everything that is wrong with them.</summary>
public static class Dialects
{
    /// <summary>Every kind that is known, dialect by dialect. A new kind is a line in its dialect's list.</summary>
    public static EquatableArray<DialectKind> Kinds { get; } = [.. KubernetesDialect.Kinds, .. IstioDialect.Kinds];

    /// <summary>Reads every object of a file. Never throws for what the text holds.</summary>
    public static ParsedText Parse(string file, string text, ParseOptions? options = null)
    {
        options ??= ParseOptions.Default;
        var objects = new List<ParsedObject>();
        foreach (var document in YamlReader.Read(file, text, options.Limits))
        {
            Add(objects, document, options);
        }

        // A stable sort: findings of one line stay in the order in which they were found.
        var diagnostics = objects
            .SelectMany(parsed => parsed.Diagnostics)
            .OrderBy(diagnostic => diagnostic.Origin.Position.Line)
            .ThenBy(diagnostic => diagnostic.Origin.Position.Column);
        return new ParsedText([.. objects], [.. diagnostics]);
    }

    /// <summary>Reads an object of the API; findings name fields, not lines.</summary>
    public static ParsedObject ParseObject(JsonObject json, ParseOptions? options = null)
    {
        options ??= ParseOptions.Default;
        return ParseDocument(JsonNodes.Convert(json, options.Limits), options);
    }

    /// <summary>Reads the JSON bytes of an object of the API.</summary>
    public static ParsedObject ParseObject(ReadOnlySpan<byte> json, ParseOptions? options = null)
    {
        options ??= ParseOptions.Default;
        return ParseDocument(JsonNodes.Read(json, options.Limits), options);
    }

    /// <summary>The kind that an apiVersion and kind name; null if none does.</summary>
    public static DialectKind? FindKind(string apiVersion, string kind) =>
        Kinds.FirstOrDefault(candidate =>
            string.Equals(candidate.Kind, kind, StringComparison.Ordinal)
            && candidate.ApiVersions.Contains(apiVersion, StringComparer.Ordinal));

    private static void Add(List<ParsedObject> objects, YamlDocument document, ParseOptions options)
    {
        if (document.Root is not YamlMapping root || !IsList(root, out var items))
        {
            objects.Add(ParseDocument(document, options));
            return;
        }

        if (document.Diagnostics.Count > 0)
        {
            // A broken list is reported as a whole: which of its items is meant cannot be told from a place.
            objects.Add(Unreadable(document));
            return;
        }

        foreach (var item in items.Items)
        {
            objects.Add(ParseDocument(new YamlDocument(item.Position, item, []), options));
        }
    }

    private static bool IsList(YamlMapping root, out YamlSequence items)
    {
        items = root.TryGet("items", out var entry) && entry.Value is YamlSequence found ? found : new YamlSequence(root.Position, []);
        return root.TryGet("kind", out var kind)
            && kind.Value is YamlScalar { Value: var name }
            && name.EndsWith("List", StringComparison.Ordinal)
            && entry?.Value is YamlSequence;
    }

    private static ParsedObject ParseDocument(YamlDocument document, ParseOptions options)
    {
        if (document.Root is null)
        {
            return Unreadable(document);
        }

        if (document.Root is not YamlMapping mapping)
        {
            return Unreadable(document with
            {
                Diagnostics =
                [
                    .. document.Diagnostics,
                    ReadingMessages.NotAnObject.At(YamlReader.At(document.Root.Position), document.Root.Description),
                ],
            });
        }

        var findings = new Findings(new Origin("yaml", "", "", "", mapping.Position));
        foreach (var diagnostic in document.Diagnostics)
        {
            findings.Add(diagnostic);
        }

        return ParseMapping(mapping, findings, options);
    }

    private static ParsedObject ParseMapping(YamlMapping mapping, Findings findings, ParseOptions options)
    {
        var root = new ObjectReader(findings, "", mapping);
        var apiVersion = root.RequiredText("apiVersion") ?? "";
        var kindName = root.RequiredText("kind") ?? "";
        findings.Origin = findings.Origin with { Kind = kindName };
        var kind = apiVersion.Length == 0 || kindName.Length == 0 ? null : KindLookup.Find(root, apiVersion, kindName);
        var content = ParsedContent.Nothing;
        if (kind is null)
        {
            findings.Origin = findings.Origin with { Namespace = Metadata("namespace"), Name = Metadata("name") };
        }
        else
        {
            findings.Origin = findings.Origin with { Dialect = kind.Dialect };
            var metadata = ObjectMetadata.Read(root, kind, options);
            findings.Origin = findings.Origin with { Namespace = metadata.Namespace, Name = metadata.Name };
            content = Read(kind, new ObjectContext(root, metadata, findings, options), apiVersion);
        }

        // Findings that came before the name was read get it afterwards.
        var named = findings.Found.Select(found => found with { Origin = Named(found.Origin, findings.Origin) });
        return new ParsedObject(
            findings.Origin, apiVersion, kind, findings.HasErrors ? ParsedContent.Nothing : content, [.. named], mapping);

        string Metadata(string field) =>
            mapping.TryGet("metadata", out var entry)
            && entry.Value is YamlMapping metadata
            && metadata.TryGet(field, out var text)
            && text.Value is YamlScalar { Kind: ScalarKind.Text, Value: var value } ? value : "";
    }

    private static ParsedContent Read(DialectKind kind, ObjectContext context, string apiVersion)
    {
        if (kind.Parse is null)
        {
            context.Findings.Add(ReadingMessages.KindNotSupported, context.Root.Place, kind.Kind, apiVersion);
            return ParsedContent.Nothing;
        }

        return kind.Parse(context);
    }

    private static Origin Named(Origin origin, Origin whole) => whole.At(origin.Path, origin.Position);

    private static ParsedObject Unreadable(YamlDocument document) => new(
        YamlReader.At(document.Start), "", null, ParsedContent.Nothing, [.. document.Diagnostics], document.Root);
}
