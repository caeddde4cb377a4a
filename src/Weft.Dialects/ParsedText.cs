// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Dialects.Istio;
using Weft.Dialects.Kubernetes;
using Weft.Dialects.Yaml;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Dialects;

/// <summary>Everything that a text holds, in its order, and everything that is wrong with it, in the order of the lines.</summary>
public sealed record ParsedText(EquatableArray<ParsedObject> Objects, EquatableArray<Diagnostic> Diagnostics)
{
    public bool HasErrors => Diagnostics.Any(diagnostic => diagnostic.Severity == Severity.Error);
}

/// <summary>One object, what it means, and what is wrong with it. An object with an error means nothing.</summary>
/// <param name="Origin">The object as a whole.</param>
/// <param name="ApiVersion">As written.</param>
/// <param name="Kind">Null if no dialect reads it.</param>
/// <param name="Content">Its meaning; nothing if it has an error or its kind has no effect.</param>
/// <param name="Diagnostics">In the order of the fields.</param>
/// <param name="Root">The object's nodes; null if it could not be read at all.</param>
public sealed record ParsedObject(
    Origin Origin,
    string ApiVersion,
    DialectKind? Kind,
    ParsedContent Content,
    EquatableArray<Diagnostic> Diagnostics,
    YamlNode? Root)
{
    public bool IsValid => !Diagnostics.Any(diagnostic => diagnostic.Severity == Severity.Error);

    public MeshIntent? Intent => Content.Intent;

    public Service? Service => Content.Service;

    public Workload? Workload => Content.Workload;

    public EndpointSliceSpec? Slice => Content.Slice;

    public NamespaceSpec? Namespace => Content.Namespace;

    public NodeSpec? Node => Content.Node;

    public ServiceEntrySpec? Entry => Content.Entry;

    /// <summary>A workload that is no pod.</summary>
    public Workload? Outsider => Content.Outsider;

    /// <summary>The object as kubectl would send it.</summary>
    public JsonObject? ToJson() => Root is null ? null : JsonNodes.ToJson(Root) as JsonObject;
}

/// <summary>What an object means: at most one of these is set.</summary>
public sealed record ParsedContent(
    MeshIntent? Intent = null,
    Service? Service = null,
    Workload? Workload = null,
    EndpointSliceSpec? Slice = null,
    NamespaceSpec? Namespace = null,
    NodeSpec? Node = null,
    ServiceEntrySpec? Entry = null,
    Workload? Outsider = null,
    MeshConfigSpec? Mesh = null)
{
    /// <summary>Certificates of a Secret.</summary>
    public Credential? Credential { get; init; }

    public static ParsedContent Nothing { get; } = new();
}
