// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>
/// How plans and SDS name the Secrets of a proxy's own namespace: <c>kubernetes://NAME</c> for key and certificates,
/// <c>kubernetes://NAME-cacert</c> for roots, which may lie in a Secret of that name or beside the key.
/// </summary>
public static class SecretNames
{
    public const string Scheme = "kubernetes://";
    public const string RootsSuffix = "-cacert";

    public static string Key(string name) => Scheme + name;

    /// <summary>The roots that belong to a key; what names roots already stays.</summary>
    public static string Roots(string secret) => IsRoots(secret) || secret.Length == 0 ? secret : secret + RootsSuffix;

    public static bool IsRoots(string secret) => secret.EndsWith(RootsSuffix, StringComparison.Ordinal);

    /// <summary>The Secrets in which it is looked for, in that order.</summary>
    public static IReadOnlyList<string> Candidates(string secret)
    {
        var name = secret.StartsWith(Scheme, StringComparison.Ordinal) ? secret[Scheme.Length..] : secret;
        return IsRoots(name) ? [name, name[..^RootsSuffix.Length]] : [name];
    }
}
