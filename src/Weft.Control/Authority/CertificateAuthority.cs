// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Weft.Model.Identity;

namespace Weft.Control.Authority;

/// <summary>Signs certificates for workloads. Of a signing request it takes the public key and nothing else: who it is, the caller proved.</summary>
public sealed partial class CertificateAuthority : IDisposable
{
    private readonly RootAuthority _root;
    private readonly AuthorityLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger<CertificateAuthority> _log;
    private long _issued;

    public CertificateAuthority(RootAuthority root, AuthorityLimits limits, TimeProvider time, ILogger<CertificateAuthority> log)
    {
        _root = root;
        _limits = limits;
        _time = time;
        _log = log;
    }

    /// <summary>The root that everything it signs leads to, PEM.</summary>
    public string RootPem => _root.CertificatePem;

    /// <summary>Certificates signed since the start.</summary>
    public long Issued => Interlocked.Read(ref _issued);

    /// <summary>Signs the key of a PKCS#10 request for an identity; throws <see cref="SigningRefusedException"/> saying what is wrong.</summary>
    /// <param name="signingRequestPem">PEM, <c>CERTIFICATE REQUEST</c>.</param>
    /// <param name="identity">Whose certificate it will be; the caller has been authenticated as this.</param>
    /// <param name="lifetime">As asked for; zero for the default. Clamped to the limits.</param>
    /// <returns>Leaf first, root last, each PEM.</returns>
    public IReadOnlyList<string> Sign(string signingRequestPem, SpiffeId identity, TimeSpan lifetime)
    {
        ArgumentNullException.ThrowIfNull(signingRequestPem);
        ArgumentNullException.ThrowIfNull(identity);
        var key = KeyOf(signingRequestPem);
        var now = _time.GetUtcNow();
        var end = now + Clamp(lifetime);
        if (end > _root.NotAfter)
        {
            end = _root.NotAfter;
        }

        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        foreach (var extension in Extensions(identity))
        {
            request.CertificateExtensions.Add(extension);
        }

        var serial = Serial();
        using var leaf = _root.Issue(request, now - _limits.ClockSkew, end, serial);
        Interlocked.Increment(ref _issued);
        LogIssued(identity.ToString(), Convert.ToHexStringLower(serial), end);
        return [leaf.ExportCertificatePem(), _root.CertificatePem];
    }

    public void Dispose() => _root.Dispose();

    private static byte[] Serial()
    {
        // RFC 5280 §4.1.2.2: positive and at most 20 octets.
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }

    private IEnumerable<X509Extension> Extensions(SpiffeId identity)
    {
        yield return new X509BasicConstraintsExtension(false, false, 0, critical: true);
        yield return new X509KeyUsageExtension(
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true);
        yield return new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false);
        yield return _root.KeyIdentifier;

        // Critical because the subject is empty (RFC 5280 §4.2.1.6, SPIFFE X.509-SVID §2).
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(identity.ToString()));
        yield return names.Build(critical: true);
    }

    private TimeSpan Clamp(TimeSpan lifetime)
    {
        if (lifetime <= TimeSpan.Zero)
        {
            return _limits.DefaultLifetime;
        }

        return lifetime < _limits.MinLifetime ? _limits.MinLifetime
            : lifetime > _limits.MaxLifetime ? _limits.MaxLifetime
            : lifetime;
    }

    private PublicKey KeyOf(string pem)
    {
        if (pem.Length > _limits.MaxRequestChars)
        {
            throw new SigningRefusedException(
                $"The signing request has {pem.Length} characters; the limit is {_limits.MaxRequestChars} ({nameof(AuthorityLimits)}.{nameof(AuthorityLimits.MaxRequestChars)}).");
        }

        try
        {
            // Checks the request's own signature: the caller holds the private key.
            var request = CertificateRequest.LoadSigningRequestPem(
                pem, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.Default, RSASignaturePadding.Pkcs1);
            RefuseWeak(request.PublicKey);
            return request.PublicKey;
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw new SigningRefusedException($"The signing request cannot be used: {error.Message}", error);
        }
    }

    private static void RefuseWeak(PublicKey key)
    {
        using var rsa = key.GetRSAPublicKey();
        using var curve = key.GetECDsaPublicKey();
        var strong = (rsa is not null && rsa.KeySize is >= 2048 and <= 8192) || (curve is not null && curve.KeySize >= 256);
        if (!strong)
        {
            throw new SigningRefusedException("The key is too weak or of an unknown kind. Use ECDSA P-256 or RSA of 2048 to 8192 bits.");
        }
    }

    [LoggerMessage(1001, LogLevel.Information, "Signed a certificate for '{Identity}', serial {Serial}, valid until {NotAfter:O}.")]
    private partial void LogIssued(string identity, string serial, DateTimeOffset notAfter);
}
