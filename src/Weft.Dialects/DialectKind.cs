// SPDX-License-Identifier: Apache-2.0

using Weft.Model;

namespace Weft.Dialects;

/// <summary>A kind of object that a dialect knows.</summary>
/// <param name="Dialect">Lower-case name of the front end.</param>
/// <param name="Group">API group; empty for Kubernetes' core.</param>
/// <param name="Versions">Served versions, the preferred one first.</param>
/// <param name="Kind">E.g. <c>VirtualService</c>.</param>
/// <param name="Namespaced">False for cluster-wide kinds.</param>
/// <param name="Supported">False for kinds that are recognised and have no effect yet.</param>
public sealed record DialectKind(
    string Dialect, string Group, EquatableArray<string> Versions, string Kind, bool Namespaced, bool Supported)
{
    /// <summary>The values of apiVersion that name this kind.</summary>
    public IEnumerable<string> ApiVersions => Versions.Select(version => Group.Length == 0 ? version : $"{Group}/{version}");

    internal Func<ObjectContext, ParsedContent>? Parse { get; init; }
}
