// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Local.Machines;

/// <summary>
/// What brings one machine in: a bootstrap token as Kubernetes has them, and the fingerprint of the API's authority, so that the new machine is
/// sure of whom it talks to before it shows the token.
/// </summary>
public sealed partial record JoinToken(string Id, string Secret, string Fingerprint)
{
    /// <summary>How long a token is good.</summary>
    public static readonly TimeSpan DefaultLife = TimeSpan.FromHours(1);

    private const string Letters = "0123456789abcdefghijklmnopqrstuvwxyz";

    /// <summary>As the API server takes it.</summary>
    public string Bearer => $"{Id}.{Secret}";

    public static JoinToken New(X509Certificate2 authority) =>
        new(RandomNumberGenerator.GetString(Letters, 6), RandomNumberGenerator.GetString(Letters, 16), FingerprintOf(authority));

    public static bool TryParse(string text, [NotNullWhen(true)] out JoinToken? token)
    {
        token = Form().IsMatch(text) && text.Split('.') is [var id, var secret, var fingerprint] ? new JoinToken(id, secret, fingerprint) : null;
        return token is not null;
    }

    /// <summary>Of the authority's public key.</summary>
    public static string FingerprintOf(X509Certificate2 authority) =>
        Convert.ToHexStringLower(SHA256.HashData(authority.PublicKey.ExportSubjectPublicKeyInfo()));

    /// <summary>The Secret in <c>kube-system</c> that the API server looks for.</summary>
    public JsonObject ToSecret(DateTimeOffset expires) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = $"bootstrap-token-{Id}", ["namespace"] = "kube-system" },
        ["type"] = "bootstrap.kubernetes.io/token",
        ["stringData"] = new JsonObject
        {
            ["token-id"] = Id,
            ["token-secret"] = Secret,
            ["expiration"] = expires.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            ["usage-bootstrap-authentication"] = "true",
            ["description"] = "weft nodes token",
        },
    };

    public override string ToString() => $"{Id}.{Secret}.{Fingerprint}";

    [GeneratedRegex("^[a-z0-9]{6}\\.[a-z0-9]{16}\\.[0-9a-f]{64}$")]
    private static partial Regex Form();
}
