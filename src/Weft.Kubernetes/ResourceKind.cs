// SPDX-License-Identifier: Apache-2.0

namespace Weft.Kubernetes;

/// <summary>A type of object that the API serves. Two are equal if group, version and plural are.</summary>
/// <param name="Group">Empty for the core group.</param>
/// <param name="Version">The served version, e.g. <c>v1</c>.</param>
/// <param name="Plural">The word in its paths, e.g. <c>pods</c>.</param>
/// <param name="Kind">The word in its objects, e.g. <c>Pod</c>.</param>
/// <param name="Namespaced">False for objects that belong to the whole cluster.</param>
/// <param name="Singular">As people may write it on a command line.</param>
/// <param name="ShortNames">Abbreviations people may write, e.g. <c>po</c>.</param>
public sealed record ResourceKind(
    string Group,
    string Version,
    string Plural,
    string Kind,
    bool Namespaced,
    string Singular,
    IReadOnlyList<string> ShortNames)
{
    /// <summary>What objects of the kind say in <c>apiVersion</c>.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The path of one object, of all in a namespace, or (namespace null) of all there are.</summary>
    public string PathOf(string? ns, string? name = null, string? subresource = null)
    {
        var path = Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";
        if (Namespaced && !string.IsNullOrEmpty(ns))
        {
            path += $"/namespaces/{Uri.EscapeDataString(ns)}";
        }

        path += $"/{Plural}";
        if (!string.IsNullOrEmpty(name))
        {
            path += $"/{Uri.EscapeDataString(name)}";
        }

        return string.IsNullOrEmpty(subresource) ? path : $"{path}/{subresource}";
    }

    public bool Equals(ResourceKind? other) =>
        other is not null && Group == other.Group && Version == other.Version && Plural == other.Plural;

    public override int GetHashCode() => HashCode.Combine(Group, Version, Plural);

    public override string ToString() => Group.Length == 0 ? $"{Plural}/{Version}" : $"{Plural}.{Group}/{Version}";
}
