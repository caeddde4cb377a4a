// SPDX-License-Identifier: Apache-2.0

using Weft.ApiServer.Custom;

namespace Weft.ApiServer.Resources;

/// <summary>One kind that the server stores: its names, its versions and what it can do.</summary>
public sealed record ResourceDefinition
{
    public required string Group { get; init; }

    /// <summary>Served versions, the preferred one first.</summary>
    public required string[] Versions { get; init; }

    /// <summary>The version in which objects are stored; the preferred one unless a definition says otherwise.</summary>
    public string StorageVersion
    {
        get => field ?? Versions[0];
        init;
    }

    public required string Plural { get; init; }

    public required string Singular { get; init; }

    public required string Kind { get; init; }

    public string ListKind
    {
        get => field ?? Kind + "List";
        init;
    }

    public bool Namespaced { get; init; } = true;

    public string[] ShortNames { get; init; } = [];

    public string[] Categories { get; init; } = [];

    /// <summary>Name of the type in the schema.</summary>
    public required string Type { get; init; }

    /// <summary>Name of the type of what is stored, where that has another shape.</summary>
    public string StoredType
    {
        get => field ?? Type;
        init;
    }

    public bool HasStatus { get; init; }

    public bool HasScale { get; init; }

    /// <summary>True for kinds whose metadata.generation counts changes of the spec.</summary>
    public bool HasGeneration { get; init; }

    /// <summary>Custom kinds take JSON merge patches only and keep no defaults.</summary>
    public bool Custom { get; init; }

    /// <summary>The definition of the kind is being deleted: its objects go, and no new ones come.</summary>
    public bool Terminating { get; init; }

    /// <summary>What a CustomResourceDefinition says of each served version; null for kinds that no definition describes.</summary>
    internal IReadOnlyDictionary<string, CustomVersion>? CustomVersions { get; init; }

    public string GroupResource => Group.Length == 0 ? Plural : Plural + "." + Group;

    /// <summary>The name under which the objects are kept; kinds that show the same objects in another shape share one.</summary>
    public string StoredAs
    {
        get => field ?? GroupResource;
        init;
    }

    public string StorageApiVersion
    {
        get => field ?? ApiVersion(StorageVersion);
        init;
    }

    public string ApiVersion(string version) => Group.Length == 0 ? version : Group + "/" + version;
}
