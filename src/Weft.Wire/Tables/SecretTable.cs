// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Weft.Wire.Tables;

/// <summary>Rows of <c>proxy-config secret</c>: the first certificate of each secret.</summary>
internal static class SecretTable
{
    public static TextTable Read(IEnumerable<(JsonElement Secret, string Status)> secrets, DateTimeOffset now)
    {
        var rows = new List<IReadOnlyList<string>>();
        foreach (var (entry, status) in secrets)
        {
            var secret = entry.Child("secret");
            var chain = secret.Child("tls_certificate").Child("certificate_chain");
            var isChain = chain.ValueKind == JsonValueKind.Object;
            var pem = Pem(isChain ? chain : secret.Child("validation_context").Child("trusted_ca"));
            rows.Add([entry.Text("name"), isChain ? "Cert Chain" : "CA", status, .. Facts(pem, now)]);
        }

        return new TextTable(
            ["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"], rows);
    }

    private static string[] Facts(string pem, DateTimeOffset now)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            var (from, until) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
            return
            [
                from <= now.UtcDateTime && now.UtcDateTime < until ? "true" : "false",
                certificate.SerialNumber.ToLowerInvariant(),
                Rfc3339(until),
                Rfc3339(from),
            ];
        }
        catch (CryptographicException)
        {
            return ["false", "", "", ""];
        }
    }

    private static string Pem(JsonElement source) => source.Text("inline_bytes") is { Length: > 0 } bytes
        ? Encoding.UTF8.GetString(Convert.FromBase64String(bytes))
        : source.Text("inline_string");

    private static string Rfc3339(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
