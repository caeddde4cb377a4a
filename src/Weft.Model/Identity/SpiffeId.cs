// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;

namespace Weft.Model.Identity;

/// <summary>A workload's name in certificates: <c>spiffe://trust-domain/ns/namespace/sa/service-account</c> (SPIFFE ID 2.1).</summary>
public sealed record SpiffeId(string TrustDomain, string Namespace, string ServiceAccount)
{
    private const string Scheme = "spiffe://";

    /// <summary>Reads the mesh's form of an id; false for any other text.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out SpiffeId? id)
    {
        id = null;
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return false;
        }

        var parts = text[Scheme.Length..].Split('/');
        if (parts is not [{ Length: > 0 } domain, "ns", { Length: > 0 } ns, "sa", { Length: > 0 } account])
        {
            return false;
        }

        id = new SpiffeId(domain, ns, account);
        return true;
    }

    public override string ToString() => $"{Scheme}{TrustDomain}/ns/{Namespace}/sa/{ServiceAccount}";
}
