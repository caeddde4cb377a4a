// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Istio;

/// <summary>verifyCertificateSpki and verifyCertificateHash: SHA-256 of keys and certificates that a client must have.</summary>
internal static class CertificatePins
{
    private const int HashBytes = 32;

    public static EquatableArray<string> ReadKeys(ObjectReader tls)
    {
        var pins = new List<string>();
        Span<byte> bytes = stackalloc byte[HashBytes];
        foreach (var (text, field) in tls.Texts("verifyCertificateSpki"))
        {
            if (Convert.TryFromBase64String(text, bytes, out var count) && count == HashBytes)
            {
                pins.Add(Convert.ToBase64String(bytes));
            }
            else
            {
                field.Report(IstioMessages.BadPin, text, "base64");
            }
        }

        return pins.ToEquatableArray();
    }

    public static EquatableArray<string> ReadHashes(ObjectReader tls)
    {
        var pins = new List<string>();
        foreach (var (text, field) in tls.Texts("verifyCertificateHash"))
        {
            var hex = text.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
            if (hex.Length == 2 * HashBytes && hex.All(char.IsAsciiHexDigitLower))
            {
                pins.Add(hex);
            }
            else
            {
                field.Report(IstioMessages.BadPin, text, "hexadecimal");
            }
        }

        return pins.ToEquatableArray();
    }
}
