// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Model.World;

/// <summary>A Secret that holds certificates. Its text shows none of them.</summary>
/// <param name="Namespace">Where it lies; only gateways and clients of the same namespace may have it.</param>
/// <param name="Name">Its name.</param>
/// <param name="ChainPem">Empty where there is no key with certificates.</param>
/// <param name="KeyPem">Empty where there is none.</param>
/// <param name="RootsPem">Whom the other side's certificates come from; empty where there are none.</param>
/// <param name="CrlPem">Revoked certificates; may be empty.</param>
/// <param name="Problem">Why what it holds cannot be used; empty if it can.</param>
public sealed record Credential(
    string Namespace, string Name, string ChainPem, string KeyPem, string RootsPem, string CrlPem, string Problem)
{
    // A record's own text would carry the key into whatever log prints a world.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append("Name = ").Append(Namespace).Append('/').Append(Name);
        return true;
    }
}
