// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>A certificate authority of the tests, and identities that it signs.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _root;

    internal TestAuthority(string name = "root")
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _root = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
    }

    internal string RootPem => _root.ExportCertificatePem() + "\n";

    public void Dispose()
    {
        _root.Dispose();
        _key.Dispose();
    }

    internal (string Chain, string Key) Issue(params string[] uris) => Issue(uris, []);

    /// <summary>A certificate as servers and clients outside of a mesh have it.</summary>
    internal (string Chain, string Key) IssueFor(params string[] hosts) => Issue([], hosts);

    /// <summary>A list that revokes one certificate.</summary>
    internal string Revoke(string chainPem)
    {
        using var certificate = X509Certificate2.CreateFromPem(chainPem);
        var list = new CertificateRevocationListBuilder();
        list.AddEntry(certificate, DateTimeOffset.UnixEpoch.AddYears(52));
        var der = list.Build(_root, 1, DateTimeOffset.UnixEpoch.AddYears(99), HashAlgorithmName.SHA256, null, DateTimeOffset.UnixEpoch.AddYears(51));
        return PemEncoding.WriteString("X509 CRL", der) + "\n";
    }

    private (string Chain, string Key) Issue(string[] uris, string[] hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var uri in uris)
        {
            names.AddUri(new Uri(uri));
        }

        foreach (var host in hosts)
        {
            names.AddDnsName(host);
        }

        if (uris.Length + hosts.Length > 0)
        {
            request.CertificateExtensions.Add(names.Build());
        }

        var serial = new byte[8];
        RandomNumberGenerator.Fill(serial);
        using var certificate = request.Create(_root, DateTimeOffset.UnixEpoch.AddYears(51), DateTimeOffset.UnixEpoch.AddYears(99), serial);
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    internal void Give(ProxyRuntime proxy, params string[] uris)
    {
        var (chain, key) = Issue(uris);
        Assert.Null(proxy.ApplyIdentity(chain, key, RootPem));
    }
}
