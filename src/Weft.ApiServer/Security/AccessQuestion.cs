// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Security;

/// <summary>May this user do this? About an object of a kind, or about a path when <see cref="Path"/> is set.</summary>
public sealed record AccessQuestion(UserIdentity User, string Verb)
{
    public string Group { get; init; } = "";

    public string Resource { get; init; } = "";

    public string Subresource { get; init; } = "";

    /// <summary>Empty at the cluster scope and across namespaces.</summary>
    public string Namespace { get; init; } = "";

    public string Name { get; init; } = "";

    public string? Path { get; init; }

    /// <summary>The resource as rules name it.</summary>
    public string Target => Subresource.Length == 0 ? Resource : Resource + "/" + Subresource;
}
