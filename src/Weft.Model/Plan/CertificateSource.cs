// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Model.Plan;

/// <summary>A key and its certificates: the name of a secret that the control plane serves, or files that the proxy can read.</summary>
/// <param name="Secret">As SDS names it, e.g. <c>kubernetes://shop-cert</c>; empty for files.</param>
/// <param name="ChainFile">PEM, the own certificate first.</param>
/// <param name="KeyFile">PEM.</param>
public sealed record CertificateSource(string Secret, string ChainFile, string KeyFile)
{
    public static CertificateSource Of(string secret) => new(secret, "", "");
}

/// <summary>Which certificates of the other side are accepted; every condition must hold.</summary>
/// <param name="Secret">The roots as SDS names them; empty for a file.</param>
/// <param name="CaFile">The roots as a PEM file; empty for a secret.</param>
/// <param name="CrlFile">Certificates that are revoked, PEM; empty for what the secret has.</param>
public sealed record ValidationPlan(string Secret, string CaFile, string CrlFile)
{
    /// <summary>Names of which the certificate must bear one; none for any.</summary>
    public EquatableArray<string> SubjectAltNames { get; init; } = [];

    /// <summary>SHA-256 of public keys in base64, of which it must have one; none for any.</summary>
    public EquatableArray<string> KeyPins { get; init; } = [];

    /// <summary>SHA-256 of certificates in lower-case hexadecimal, of which it must be one; none for any. Either kind of pin is enough.</summary>
    public EquatableArray<string> CertificatePins { get; init; } = [];
}

/// <summary>A version of TLS.</summary>
public enum TlsVersion
{
    /// <summary>1.2 at least, 1.3 at most.</summary>
    Default,
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

/// <summary>Versions and ciphers that are agreed to.</summary>
/// <param name="Min">The oldest.</param>
/// <param name="Max">The newest.</param>
/// <param name="Ciphers">OpenSSL's names, for versions up to 1.2; none for the defaults.</param>
public sealed record TlsParametersPlan(TlsVersion Min, TlsVersion Max, EquatableArray<string> Ciphers)
{
    public static TlsParametersPlan Default { get; } = new(TlsVersion.Default, TlsVersion.Default, []);
}

/// <summary>What a secret holds: a key with its certificates, or roots. Its text shows neither.</summary>
/// <param name="Name">As <see cref="CertificateSource"/> and <see cref="ValidationPlan"/> name it.</param>
/// <param name="ChainPem">The own certificate first; empty for roots.</param>
/// <param name="KeyPem">Empty for roots.</param>
/// <param name="RootsPem">Empty for a key.</param>
/// <param name="CrlPem">Revoked certificates of the roots; may be empty.</param>
public sealed record SecretPlan(string Name, string ChainPem, string KeyPem, string RootsPem, string CrlPem)
{
    // A record's own text would carry the key into whatever log prints a plan.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append("Name = ").Append(Name);
        return true;
    }
}
