// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>Versions and ciphers of a gateway's server. A cipher that cannot be had is reported and left out, as Istio does.</summary>
internal static class TlsParameters
{
    private static readonly Choices<TlsVersion> _versions = new(
        ("TLS_AUTO", TlsVersion.Default),
        ("TLSV1_0", TlsVersion.Tls10),
        ("TLSV1_1", TlsVersion.Tls11),
        ("TLSV1_2", TlsVersion.Tls12),
        ("TLSV1_3", TlsVersion.Tls13));

    private static readonly HashSet<string> _ciphers = new(StringComparer.Ordinal)
    {
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA",
    };

    public static TlsParametersPlan Read(ObjectReader tls)
    {
        var min = tls.Choice("minProtocolVersion", _versions) ?? TlsVersion.Default;
        var max = tls.Choice("maxProtocolVersion", _versions) ?? TlsVersion.Default;
        if (max != TlsVersion.Default && (min == TlsVersion.Default ? TlsVersion.Tls12 : min) > max)
        {
            tls.Findings.Add(IstioMessages.NoTlsVersionLeft, tls.Find("maxProtocolVersion")!.Value.Place);
        }

        var ciphers = new List<string>();
        foreach (var (name, field) in tls.Texts("cipherSuites"))
        {
            if (!_ciphers.Contains(name))
            {
                field.Report(IstioMessages.UnknownCipher, name);
            }
            else if (ciphers.Contains(name))
            {
                field.Report(IstioMessages.CipherTwice, name);
            }
            else
            {
                ciphers.Add(name);
            }
        }

        return new TlsParametersPlan(min, max, ciphers.ToEquatableArray());
    }
}
