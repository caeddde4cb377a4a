// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.ApiServer.Security;

/// <summary>
/// The API server's own certificate authority: its serving certificate and the administrator's client certificate. It has
/// nothing to do with the mesh's identities.
/// </summary>
internal sealed class ServingAuthority : IDisposable
{
    private static readonly TimeSpan _rootLife = TimeSpan.FromDays(3650);
    private static readonly TimeSpan _leafLife = TimeSpan.FromDays(365);
    private static readonly TimeSpan _backdate = TimeSpan.FromMinutes(5);

    private readonly ECDsa _key;
    private readonly TimeProvider _clock;

    public ServingAuthority(string directory, TimeProvider clock)
    {
        _clock = clock;
        _key = PrivateFile.LoadOrCreateKey(Path.Combine(directory, "api-ca.key"));
        Root = LoadOrCreateRoot(Path.Combine(directory, "api-ca.crt"));
        RootPem = Root.ExportCertificatePem() + "\n";
    }

    public X509Certificate2 Root { get; }

    public string RootPem { get; }

    /// <summary>A certificate for the TLS endpoint under every name that reaches it.</summary>
    public X509Certificate2 IssueServing(IPAddress serviceAddress, IEnumerable<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in new[]
        {
            "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
        })
        {
            names.AddDnsName(name);
        }

        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        names.AddIpAddress(serviceAddress);
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var external))
            {
                names.AddIpAddress(external);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Issue("CN=kube-apiserver", key, "1.3.6.1.5.5.7.3.1", names.Build());
    }

    /// <summary>Certificate and key, as PEM, of a member of system:masters.</summary>
    public (string CertificatePem, string KeyPem) IssueAdministrator()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issue("CN=system:admin, O=system:masters", key, "1.3.6.1.5.5.7.3.2", null);
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>Who a client certificate speaks for; null when this authority did not sign it or its time is over.</summary>
    public UserIdentity? Identify(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2"));
        chain.ChainPolicy.VerificationTime = _clock.GetUtcNow().UtcDateTime;
        if (!chain.Build(certificate))
        {
            return null;
        }

        var groups = new List<string>();
        var name = "";
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            switch (part.GetSingleElementType().Value)
            {
                case "2.5.4.3":
                    name = part.GetSingleElementValue() ?? "";
                    break;
                case "2.5.4.10":
                    groups.Add(part.GetSingleElementValue() ?? "");
                    break;
            }
        }

        return name.Length == 0 ? null : new UserIdentity(name, "", [.. groups, "system:authenticated"]);
    }

    /// <summary>Signs what a client asks for, for use as a client; the subject and the key are its own.</summary>
    public string SignClient(string requestPem, TimeSpan life)
    {
        var asked = ReadRequest(requestPem) ?? throw new CryptographicException("the request cannot be read");
        var request = new CertificateRequest(asked.SubjectName, asked.PublicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        var now = _clock.GetUtcNow();
        using var issued = request.Create(
            Root.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), now - _backdate, now + life, RandomNumberGenerator.GetBytes(16));
        return issued.ExportCertificatePem() + "\n";
    }

    /// <summary>The request if it is one and signed with its own key; otherwise null.</summary>
    public static CertificateRequest? ReadRequest(string pem)
    {
        try
        {
            return CertificateRequest.LoadSigningRequestPem(pem, HashAlgorithmName.SHA256, signerSignaturePadding: RSASignaturePadding.Pkcs1);
        }
        catch (Exception problem) when (problem is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    public static IEnumerable<string> Organizations(string requestPem) => Parts(requestPem, "2.5.4.10");

    public static string CommonName(string requestPem) => Parts(requestPem, "2.5.4.3").SingleOrDefault() ?? "";

    private static IEnumerable<string> Parts(string requestPem, string type) =>
        ReadRequest(requestPem)?.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(part => part.GetSingleElementType().Value == type).Select(part => part.GetSingleElementValue() ?? "") ?? [];

    public void Dispose()
    {
        Root.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 LoadOrCreateRoot(string path)
    {
        if (File.Exists(path))
        {
            using var loaded = X509Certificate2.CreateFromPem(File.ReadAllText(path));
            return loaded.CopyWithPrivateKey(_key);
        }

        var request = new CertificateRequest("CN=weft-api", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign | X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = _clock.GetUtcNow();
        var root = request.CreateSelfSigned(now - _backdate, now + _rootLife);
        PrivateFile.Write(path, root.ExportCertificatePem() + "\n");
        return root;
    }

    private X509Certificate2 Issue(string subject, ECDsa key, string purpose, X509Extension? names)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        if (names is not null)
        {
            request.CertificateExtensions.Add(names);
        }

        var now = _clock.GetUtcNow();
        using var issued = request.Create(Root, now - _backdate, now + _leafLife, RandomNumberGenerator.GetBytes(16));
        return issued.CopyWithPrivateKey(key);
    }
}
