// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>tls of a traffic policy: how the client's proxy secures connections to the destination.</summary>
internal static class ClientTlsSettings
{
    private static readonly Choices<ClientTlsMode> _modes = new(
        ("DISABLE", ClientTlsMode.Disable),
        ("SIMPLE", ClientTlsMode.Simple),
        ("MUTUAL", ClientTlsMode.Mutual),
        ("ISTIO_MUTUAL", ClientTlsMode.IstioMutual));

    public static ClientTls? Read(ObjectReader tls)
    {
        // Upstream takes a missing mode for DISABLE, which turns encryption off by omission; here it has to be said.
        var mode = tls.Required("mode")?.AsChoice(_modes);
        var settings = new ClientTls(
            mode ?? ClientTlsMode.IstioMutual,
            tls.Text("sni") ?? "",
            tls.Texts("subjectAltNames").Select(name => name.Key).ToEquatableArray(),
            tls.Text("caCertificates") ?? "",
            tls.Text("clientCertificate") ?? "",
            tls.Text("privateKey") ?? "",
            tls.Boolean("insecureSkipVerify") ?? false)
        {
            Credential = tls.Find("credentialName") is { } credential ? CredentialNames.Read(credential) : "",
            CrlFile = tls.NonEmptyText("caCrl") ?? "",
        };
        Check(tls, mode);
        tls.Finish();
        return settings;
    }

    private static void Check(ObjectReader tls, ClientTlsMode? mode)
    {
        if (mode is ClientTlsMode.IstioMutual)
        {
            foreach (var name in new[] { "clientCertificate", "privateKey", "caCertificates", "caCrl", "credentialName", "insecureSkipVerify" })
            {
                if (tls.Find(name) is { } field)
                {
                    tls.Findings.Add(IstioMessages.FieldNotWithMode, field.KeyPlace, field.Path, "ISTIO_MUTUAL");
                }
            }
        }

        if (tls.Has("credentialName"))
        {
            // One or the other: which of two certificates is meant cannot be told.
            foreach (var name in new[] { "clientCertificate", "privateKey", "caCertificates" })
            {
                tls.Exclusive("credentialName", name);
            }
        }
        else if (mode is ClientTlsMode.Mutual)
        {
            foreach (var name in new[] { "clientCertificate", "privateKey" })
            {
                if (!tls.Has(name))
                {
                    tls.Findings.Add(IstioMessages.MutualNeedsCertificate, tls.Place, name);
                }
            }
        }
    }
}
