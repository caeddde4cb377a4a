// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>tls of a gateway's server: where TLS ends, and with which certificate.</summary>
internal static class ServerTlsSettings
{
    private static readonly Choices<ServerTlsMode> _modes = new(
        ("PASSTHROUGH", ServerTlsMode.Passthrough),
        ("SIMPLE", ServerTlsMode.Simple),
        ("MUTUAL", ServerTlsMode.Mutual),
        ("AUTO_PASSTHROUGH", ServerTlsMode.AutoPassthrough),
        ("ISTIO_MUTUAL", ServerTlsMode.IstioMutual),
        ("OPTIONAL_MUTUAL", ServerTlsMode.OptionalMutual));

    private static readonly string[] _versions = ["TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"];

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
        var settings = new ServerTls(mode, tls.NonEmptyText("credentialName") ?? "")
        {
            SubjectAltNames = tls.Texts("subjectAltNames").Select(name => name.Key).ToEquatableArray(),
            MinVersion = ReadVersion(tls, "minProtocolVersion"),
            MaxVersion = ReadVersion(tls, "maxProtocolVersion"),
            CipherSuites = tls.Texts("cipherSuites").Select(name => name.Key).ToEquatableArray(),
        };
        Check(tls, mode);
        tls.NotSupported(
            "serverCertificate", "privateKey", "caCertificates", "caCrl", "caCertCredentialName", "credentialNames", "tlsCertificates",
            "verifyCertificateSpki", "verifyCertificateHash");
        tls.Finish();
        return (settings, false);
    }

    private static void ReportUseless(ObjectReader tls)
    {
        foreach (var name in new[] { "mode", "credentialName", "serverCertificate", "privateKey", "caCertificates", "subjectAltNames" })
        {
            if (tls.Find(name) is { } field)
            {
                tls.Findings.Add(IstioMessages.TlsOnPlainServer, field.KeyPlace, field.Path);
            }
        }

        tls.Ignore("minProtocolVersion", "maxProtocolVersion", "cipherSuites");
        tls.Finish();
    }

    private static void Check(ObjectReader tls, ServerTlsMode mode)
    {
        var ends = mode is ServerTlsMode.Simple or ServerTlsMode.Mutual or ServerTlsMode.OptionalMutual;
        if (ends && !tls.Has("credentialName"))
        {
            tls.Findings.Add(IstioMessages.ServerNeedsCredential, tls.Place, tls.Path);
        }

        if (!ends && tls.Find("credentialName") is { } useless)
        {
            tls.Findings.Add(IstioMessages.FieldNotWithMode, useless.KeyPlace, useless.Path, tls.Text("mode") ?? "PASSTHROUGH");
        }
    }

    private static string ReadVersion(ObjectReader tls, string name)
    {
        if (tls.NonEmptyText(name) is not { } text || text is "TLS_AUTO")
        {
            return "";
        }

        if (!_versions.Contains(text, StringComparer.Ordinal))
        {
            var field = tls.Find(name)!.Value;
            field.Report(ReadingMessages.UnknownValue, text, field.Path, "TLS_AUTO, " + string.Join(", ", _versions));
        }

        return text;
    }
}
