// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>tls of a gateway's server: where TLS ends, and with which certificate.</summary>
internal static class ServerTlsSettings
{
    private const int MaxCertificates = 2;

    private static readonly Choices<ServerTlsMode> _modes = new(
        ("PASSTHROUGH", ServerTlsMode.Passthrough),
        ("SIMPLE", ServerTlsMode.Simple),
        ("MUTUAL", ServerTlsMode.Mutual),
        ("AUTO_PASSTHROUGH", ServerTlsMode.AutoPassthrough),
        ("ISTIO_MUTUAL", ServerTlsMode.IstioMutual),
        ("OPTIONAL_MUTUAL", ServerTlsMode.OptionalMutual));

    private static readonly string[] _ownCertificate =
        ["credentialName", "credentialNames", "tlsCertificates", "serverCertificate", "privateKey"];

    private static readonly string[] _clients =
        ["caCertificates", "caCertCredentialName", "caCrl", "verifyCertificateSpki", "verifyCertificateHash"];

    /// <summary>The settings, null where nothing is encrypted, and whether plain requests are sent to https.</summary>
    public static (ServerTls? Tls, bool Redirects) Read(ObjectReader tls, ServerProtocol protocol)
    {
        var redirects = tls.Boolean("httpsRedirect") ?? false;
        var secured = protocol is ServerProtocol.Https or ServerProtocol.Tls;
        if (redirects && protocol != ServerProtocol.Http)
        {
            tls.Findings.Add(IstioMessages.RedirectNeedsHttp, tls.Find("httpsRedirect")!.Value.KeyPlace);
        }

        if (!secured)
        {
            ReportUseless(tls);
            return (null, redirects);
        }

        var mode = tls.Choice("mode", _modes) ?? ServerTlsMode.Passthrough;
        var ends = mode is ServerTlsMode.Simple or ServerTlsMode.Mutual or ServerTlsMode.OptionalMutual;
        var certificates = ReadCertificates(tls);
        var clients = ReadClients(tls, mode, certificates);
        if (!ends)
        {
            ReportWithoutMeaning(tls, [.. _ownCertificate, .. _clients]);
        }
        else if (certificates.Count == 0)
        {
            tls.Findings.Add(IstioMessages.ServerNeedsCredential, tls.Place, tls.Path);
        }

        var settings = new ServerTls(mode, ends ? certificates : [])
        {
            Clients = clients,
            Parameters = TlsParameters.Read(tls),
        };
        tls.Finish();
        return (settings, false);
    }

    private static EquatableArray<CertificateSource> ReadCertificates(ObjectReader tls)
    {
        tls.Exclusive("credentialName", "credentialNames", "tlsCertificates", "serverCertificate");
        var found = new List<CertificateSource>();
        if (tls.Find("credentialName") is { } name)
        {
            Add(CredentialNames.Read(name));
        }

        foreach (var (_, field) in tls.Texts("credentialNames"))
        {
            Add(CredentialNames.Read(field));
        }

        foreach (var files in tls.Children("tlsCertificates"))
        {
            AddFiles(files);
            files.Ignore("caCertificates");
            files.Finish();
        }

        AddFiles(tls);
        foreach (var list in new[] { "credentialNames", "tlsCertificates" })
        {
            if (found.Count > MaxCertificates && tls.Find(list) is { } many)
            {
                many.Report(IstioMessages.TooManyCertificates, many.Path);
            }
        }

        return found.ToEquatableArray();

        void Add(string secret)
        {
            if (secret.Length > 0)
            {
                found.Add(CertificateSource.Of(secret));
            }
        }

        void AddFiles(ObjectReader reader)
        {
            var (chain, key) = (reader.NonEmptyText("serverCertificate"), reader.NonEmptyText("privateKey"));
            if (chain is not null && key is not null)
            {
                found.Add(new CertificateSource("", chain, key));
            }
            else if (chain is not null || key is not null)
            {
                reader.Findings.Add(IstioMessages.HalfACertificate, reader.Place, chain is null ? "serverCertificate" : "privateKey");
            }
        }
    }

    private static ValidationPlan? ReadClients(ObjectReader tls, ServerTlsMode mode, EquatableArray<CertificateSource> certificates)
    {
        var (file, crl) = (tls.NonEmptyText("caCertificates") ?? "", tls.NonEmptyText("caCrl") ?? "");
        var secret = tls.Find("caCertCredentialName") is { } named ? SecretNames.Roots(CredentialNames.Read(named))
            : certificates is [{ Secret.Length: > 0 } own, ..] ? SecretNames.Roots(own.Secret) : "";
        var names = tls.Texts("subjectAltNames").Select(name => name.Key).ToEquatableArray();
        var keys = CertificatePins.ReadKeys(tls);
        var hashes = CertificatePins.ReadHashes(tls);
        if (mode is ServerTlsMode.Simple)
        {
            // Istio takes the fields and asks no client for a certificate; what was meant is mode MUTUAL.
            ReportWithoutMeaning(tls, "caCertCredentialName", "verifyCertificateSpki", "verifyCertificateHash", "caCrl");
            return null;
        }

        if (mode is not (ServerTlsMode.Mutual or ServerTlsMode.OptionalMutual))
        {
            return names.Count == 0 ? null : new ValidationPlan("", "", "") { SubjectAltNames = names };
        }

        if (file.Length == 0 && secret.Length == 0 && certificates.Count > 0)
        {
            tls.Findings.Add(IstioMessages.MutualNeedsRoots, tls.Place, tls.Path);
        }

        return new ValidationPlan(file.Length > 0 ? "" : secret, file, crl)
        {
            SubjectAltNames = names,
            KeyPins = keys,
            CertificatePins = hashes,
        };
    }

    private static void ReportWithoutMeaning(ObjectReader tls, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (tls.Find(name) is { } field)
            {
                tls.Findings.Add(IstioMessages.FieldNotWithMode, field.KeyPlace, field.Path, tls.Text("mode") ?? "PASSTHROUGH");
            }
        }
    }

    private static void ReportUseless(ObjectReader tls)
    {
        foreach (var name in (string[])["mode", "subjectAltNames", .. _ownCertificate, .. _clients])
        {
            if (tls.Find(name) is { } field)
            {
                tls.Findings.Add(IstioMessages.TlsOnPlainServer, field.KeyPlace, field.Path);
            }
        }

        tls.Ignore("minProtocolVersion", "maxProtocolVersion", "cipherSuites");
        tls.Finish();
    }
}
