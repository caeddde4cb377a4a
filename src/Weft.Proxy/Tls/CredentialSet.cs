// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Proxy.Tls;

/// <summary>
/// The operator's keys and roots that a plan came with, parsed once for all loops. Immutable. What is not here, or cannot be used, is
/// answered with a <see cref="TlsException"/>: handshakes that need it fail, and no others.
/// </summary>
internal sealed class CredentialSet
{
    private readonly EquatableArray<SecretPlan> _secrets;
    private readonly Dictionary<string, (SecretPlan Source, KeyPair? Pair, RootSet? Roots)> _parsed = new(StringComparer.Ordinal);

    private CredentialSet(EquatableArray<SecretPlan> secrets) => _secrets = secrets;

    internal static CredentialSet None { get; } = new([]);

    /// <summary>What could not be used, for the log; names and reasons, never contents.</summary>
    internal List<string> Problems { get; } = [];

    /// <summary>Takes over what an earlier set has parsed; the earlier set itself if nothing differs.</summary>
    internal static CredentialSet Of(EquatableArray<SecretPlan> secrets, CredentialSet before)
    {
        if (secrets == before._secrets)
        {
            return before;
        }

        var set = new CredentialSet(secrets);
        foreach (var secret in secrets)
        {
            if (before._parsed.TryGetValue(secret.Name, out var known) && known.Source == secret)
            {
                set._parsed[secret.Name] = known;
                continue;
            }

            try
            {
                var isPair = secret.KeyPem.Length > 0;
                set._parsed[secret.Name] = (
                    secret,
                    isPair ? KeyPair.Parse(secret.ChainPem, secret.KeyPem) : null,
                    isPair ? null : RootSet.Parse(secret.RootsPem, secret.CrlPem));
            }
            catch (TlsException problem)
            {
                set.Problems.Add($"the secret '{secret.Name}' cannot be used: {problem.Message}");
            }
        }

        return set;
    }

    internal KeyPair PairOf(CertificateSource source) => source.Secret.Length == 0
        ? KeyPair.Parse(CertificateFile.Read(source.ChainFile), CertificateFile.Read(source.KeyFile))
        : _parsed.GetValueOrDefault(source.Secret).Pair ?? throw new TlsException($"there is no certificate '{source.Secret}'");

    /// <summary>Null for none at all, which means the system's.</summary>
    internal RootSet? RootsOf(string secret, string file, string crlFile)
    {
        if (secret.Length == 0 && file.Length == 0)
        {
            return null;
        }

        var crl = crlFile.Length > 0 ? CertificateFile.Read(crlFile) : "";
        if (secret.Length == 0)
        {
            return RootSet.Parse(CertificateFile.Read(file), crl);
        }

        var found = _parsed.GetValueOrDefault(secret);
        return found.Roots is null ? throw new TlsException($"there are no roots '{secret}'")
            : crl.Length > 0 ? RootSet.Parse(found.Source.RootsPem, crl)
            : found.Roots;
    }
}
