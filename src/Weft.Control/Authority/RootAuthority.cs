// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Control.Authority;

/// <summary>The mesh's root key and certificate, made at the first start and kept in a folder that only its owner can read.</summary>
public sealed class RootAuthority : IDisposable
{
    private const string KeyFile = "root-key.pem";
    private const string CertificateFile = "root-cert.pem";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly ECDsa _key;
    private readonly X509Certificate2 _certificate;

    private RootAuthority(ECDsa key, X509Certificate2 certificate)
    {
        _key = key;
        _certificate = certificate;
        CertificatePem = certificate.ExportCertificatePem();
        NotAfter = new DateTimeOffset(certificate.NotAfter);
        KeyIdentifier = X509AuthorityKeyIdentifierExtension.CreateFromCertificate(certificate, true, false);
    }

    public string CertificatePem { get; }

    public DateTimeOffset NotAfter { get; }

    internal X509Extension KeyIdentifier { get; }

    /// <summary>Opens the root in a folder, or makes one if the folder has none.</summary>
    public static RootAuthority Open(string folder, string trustDomain, AuthorityLimits limits, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(time);
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        var keyPath = Path.Combine(folder, KeyFile);
        var certificatePath = Path.Combine(folder, CertificateFile);

        // The key is written last: a folder with a certificate alone is a first start that was cut short.
        return File.Exists(keyPath)
            ? Load(keyPath, certificatePath)
            : Create(keyPath, certificatePath, trustDomain, limits, time.GetUtcNow());
    }

    public void Dispose()
    {
        _key.Dispose();
        _certificate.Dispose();
    }

    internal X509Certificate2 Issue(CertificateRequest request, DateTimeOffset from, DateTimeOffset to, byte[] serial) =>
        request.Create(_certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), from, to, serial);

    private static RootAuthority Load(string keyPath, string certificatePath)
    {
        if ((File.GetUnixFileMode(keyPath) & ~OwnerOnly) != UnixFileMode.None)
        {
            throw new InvalidOperationException($"The root key '{keyPath}' can be read by others. Run 'chmod 600 {keyPath}'.");
        }

        if (!File.Exists(certificatePath))
        {
            throw new InvalidOperationException(
                $"'{keyPath}' has no '{CertificateFile}' beside it. Restore it from a backup, or remove both for a new root.");
        }

        var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(keyPath));
        var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(certificatePath));
        using var certified = certificate.GetECDsaPublicKey();
        if (certified is null || !certified.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
        {
            throw new InvalidOperationException(
                $"'{keyPath}' and '{certificatePath}' do not belong together. Restore one of them from a backup, or remove both for a new root.");
        }

        return new RootAuthority(key, certificate);
    }

    private static RootAuthority Create(
        string keyPath, string certificatePath, string trustDomain, AuthorityLimits limits, DateTimeOffset now)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName($"O={trustDomain}, CN=Weft root"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var made = request.CreateSelfSigned(now - limits.ClockSkew, now + limits.RootLifetime);
        Write(certificatePath, made.ExportCertificatePem());
        Write(keyPath, key.ExportPkcs8PrivateKeyPem());
        return new RootAuthority(key, X509CertificateLoader.LoadCertificate(made.RawData));
    }

    private static void Write(string path, string text)
    {
        // Whole or not at all, whenever the power goes.
        var temporary = $"{path}.new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
