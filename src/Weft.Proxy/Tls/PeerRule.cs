// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Proxy.Tls;

/// <summary>What a certificate from outside of the mesh must be like, beyond that it comes from the right roots.</summary>
internal sealed record PeerRule(bool IsRequired, EquatableArray<string> Names, EquatableArray<string> KeyPins, EquatableArray<string> CertificatePins)
{
    internal static PeerRule OfClients(bool isRequired, ValidationPlan plan) =>
        new(isRequired, plan.SubjectAltNames, plan.KeyPins, plan.CertificatePins);

    /// <summary>Null if the peer is who it may be, else the reason why not.</summary>
    internal string? Judge(PeerIdentity? peer)
    {
        if (peer is null)
        {
            return IsRequired ? "the peer has shown no certificate" : null;
        }

        if (Names.Count > 0 && !Names.Any(name => peer.Names.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            return "the peer's certificate bears none of the names that are accepted";
        }

        return KeyPins.Count + CertificatePins.Count == 0
            || KeyPins.AsSpan().Contains(peer.KeyHash) || CertificatePins.AsSpan().Contains(peer.Hash)
            ? null
            : "the peer's certificate is none of those that are pinned";
    }
}
