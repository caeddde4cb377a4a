// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects;

/// <summary>The part of metadata that means something to the mesh.</summary>
internal sealed record ObjectMetadata(
    string Name,
    string Namespace,
    EquatableArray<Label> Labels,
    EquatableArray<Label> Annotations,
    DateTimeOffset CreatedAt)
{
    public static ObjectMetadata Read(ObjectReader root, DialectKind kind, ParseOptions options)
    {
        var metadata = root.Required("metadata")?.AsObject();
        if (metadata is null)
        {
            return new ObjectMetadata("", "", [], [], default);
        }

        var prefix = metadata.Text("generateName");
        var name = prefix is null ? metadata.RequiredText("name") : metadata.Text("name");
        var ns = metadata.NonEmptyText("namespace");
        var labels = metadata.Labels("labels");
        var annotations = metadata.Labels("annotations");
        var created = Created(metadata);
        metadata.Ignore(
            "uid", "resourceVersion", "generation", "managedFields", "ownerReferences", "finalizers", "deletionTimestamp",
            "deletionGracePeriodSeconds", "selfLink");

        CheckNames(metadata, kind, name, ns);
        LabelSyntax.Check(metadata, "labels");
        LabelSyntax.CheckKeys(metadata, "annotations");

        // About fields of its own objects the API server decides.
        metadata.Finish(kind.Dialect is KubernetesDialect.Name ? KubernetesMessages.UnknownKubernetesField : ReadingMessages.UnknownField);
        return new ObjectMetadata(
            name ?? prefix ?? "", kind.Namespaced ? ns ?? options.DefaultNamespace : "", labels, annotations, created);
    }

    private static void CheckNames(ObjectReader metadata, DialectKind kind, string? name, string? ns)
    {
        if (name is not null && NameRules.Problem(kind.Kind, name) is { } problem)
        {
            metadata.Find("name")!.Value.Report(KubernetesMessages.BadName, name, kind.Kind, problem);
        }

        if (ns is not null && NameRules.Problem("Namespace", ns) is { } rule)
        {
            metadata.Find("namespace")!.Value.Report(KubernetesMessages.BadName, ns, "a namespace", rule);
        }
    }

    private static DateTimeOffset Created(ObjectReader metadata)
    {
        if (metadata.Find("creationTimestamp")?.AsText() is not { } text)
        {
            return default;
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var created))
        {
            return created;
        }

        metadata.Find("creationTimestamp")!.Value.Report(KubernetesMessages.BadTimestamp, text);
        return default;
    }
}
