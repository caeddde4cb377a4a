// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>
/// Certificates in a Secret, in either spelling that Istio knows: tls.crt, tls.key, ca.crt, ca.crl; or cert, key, cacert, crl. Its type does
/// not matter.
/// </summary>
internal static class CredentialReader
{
    /// <summary>Null for a Secret that holds none.</summary>
    public static Credential? Read(string ns, string name, IReadOnlyDictionary<string, string> values)
    {
        var chain = Text("cert", "tls.crt");
        var key = Text("key", "tls.key");
        var roots = Text("cacert", "ca.crt");
        if (chain.Length == 0 && key.Length == 0 && roots.Length == 0)
        {
            return null;
        }

        var problem = PairProblem(chain, key) ?? RootsProblem(roots) ?? "";
        return problem.Length == 0
            ? new Credential(ns, name, chain, key, roots, Text("crl", "ca.crl"), "")
            : new Credential(ns, name, "", "", "", "", problem);

        string Text(string generic, string typed) => values.GetValueOrDefault(generic) ?? values.GetValueOrDefault(typed) ?? "";
    }

    private static string? PairProblem(string chain, string key)
    {
        if (chain.Length == 0 && key.Length == 0)
        {
            return null;
        }

        if (chain.Length == 0 || key.Length == 0)
        {
            return chain.Length == 0 ? "it has a key and no certificate" : "it has a certificate and no key";
        }

        try
        {
            using var certificate = X509Certificate2.CreateFromPem(chain);
            return KeyProblem(certificate, key);
        }
        catch (CryptographicException)
        {
            return "its certificate is no PEM text with a certificate";
        }
    }

    private static string? KeyProblem(X509Certificate2 certificate, string key)
    {
        try
        {
            using var shown = certificate.GetRSAPublicKey() ?? (AsymmetricAlgorithm?)certificate.GetECDsaPublicKey();
            using var own = shown switch
            {
                RSA => RSA.Create(),
                ECDsa => ECDsa.Create(),
                _ => (AsymmetricAlgorithm?)null,
            };

            // Kinds of keys that cannot be compared here are left to the proxy, which refuses what does not fit.
            own?.ImportFromPem(key);
            return own is null || own.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(shown!.ExportSubjectPublicKeyInfo())
                ? null
                : "its key does not belong to its certificate";
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            return "its key is no PEM text with a private key of the certificate's kind";
        }
    }

    private static string? RootsProblem(string roots)
    {
        if (roots.Length == 0)
        {
            return null;
        }

        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPem(roots);
            foreach (var certificate in found)
            {
                certificate.Dispose();
            }

            return found.Count > 0 ? null : "its roots are no PEM text with certificates";
        }
        catch (CryptographicException)
        {
            return "its roots are no PEM text with certificates";
        }
    }

    /// <summary>Base64 of text; what is none counts as empty, since it was reported.</summary>
    public static string Decode(string base64)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(base64));
        }
        catch (FormatException)
        {
            return "";
        }
    }
}
