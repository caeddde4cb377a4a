// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Proxy.Control;

/// <summary>A certificate chain (leaf first, without the root), its key, and the roots that peers are checked against; PEM.</summary>
/// <param name="ChainPem">Leaf and intermediates.</param>
/// <param name="KeyPem">PKCS#8; it was made in this process or read from its own folder.</param>
/// <param name="RootsPem">One or more roots.</param>
/// <param name="NotBefore">Of the leaf.</param>
/// <param name="NotAfter">Of the leaf.</param>
internal sealed record WorkloadIdentity(string ChainPem, string KeyPem, string RootsPem, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    /// <summary>Makes an identity of what the authority answered; the last certificate is the root.</summary>
    /// <exception cref="CryptographicException">The answer is no chain for this key.</exception>
    public static WorkloadIdentity FromAnswer(IReadOnlyList<string> certificates, string keyPem)
    {
        if (certificates.Count < 2)
        {
            throw new CryptographicException("The authority answered without a root certificate.");
        }

        return Create(string.Concat(certificates.Take(certificates.Count - 1).Select(WithNewline)), keyPem, WithNewline(certificates[^1]));
    }

    /// <exception cref="CryptographicException">Chain and key do not belong together, or are no PEM.</exception>
    public static WorkloadIdentity Create(string chainPem, string keyPem, string rootsPem)
    {
        using var leaf = X509Certificate2.CreateFromPem(chainPem, keyPem);
        return new WorkloadIdentity(chainPem, keyPem, rootsPem, new DateTimeOffset(leaf.NotBefore), new DateTimeOffset(leaf.NotAfter));
    }

    /// <summary>
    /// When to ask for the next one: at half of what is left after <paramref name="from"/>, a tenth earlier or later so that a mesh does not
    /// renew all at once. The certificate's own beginning does not count: authorities set it back, for clocks that are late.
    /// </summary>
    public DateTimeOffset RenewAt(DateTimeOffset from, Random random) => from + ((NotAfter - from) * (0.45 + (random.NextDouble() * 0.1)));

    private static string WithNewline(string pem) => pem.EndsWith('\n') ? pem : pem + "\n";
}
