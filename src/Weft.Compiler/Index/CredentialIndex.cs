// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>Secrets with certificates, by namespace and name.</summary>
internal sealed class CredentialIndex(EquatableArray<Credential> credentials, PartCache parts)
{
    private readonly Dictionary<(string, string), Credential> _byName = credentials.ToDictionary(c => (c.Namespace, c.Name));

    public Credential? Find(string ns, string name) => _byName.GetValueOrDefault((ns, name));

    /// <summary>The Secret of a namespace that has what a plan asks for; null if none does.</summary>
    public Credential? Holder(string ns, string secret)
    {
        foreach (var name in SecretNames.Candidates(secret))
        {
            if (Find(ns, name) is { } found && (SecretNames.IsRoots(secret) ? found.RootsPem : found.ChainPem).Length > 0)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>The secrets of a plan whose proxy runs in a namespace; those that are not there are left out.</summary>
    public EquatableArray<SecretPlan> Resolve(string ns, IEnumerable<string> secrets) =>
    [
        .. from secret in secrets.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
           let holder = Holder(ns, secret)
           where holder is not null
           select parts.Get(new PartKey("secret", holder, null, null, secret), () => Plan(secret, holder)),
    ];

    private static SecretPlan Plan(string secret, Credential holder) => SecretNames.IsRoots(secret)
        ? new SecretPlan(secret, "", "", holder.RootsPem, holder.CrlPem)
        : new SecretPlan(secret, holder.ChainPem, holder.KeyPem, "", "");
}
