// SPDX-License-Identifier: Apache-2.0

using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Authority;
using Weft.Model.Identity;

namespace Weft.Control.Tests.Authority;

public sealed class CertificateAuthorityTests : IDisposable
{
    private static readonly SpiffeId _alice = new("cluster.local", "shop", "alice");
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"weft-ca-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, true);
        }
    }

    [Fact]
    public void A_certificate_names_the_caller_and_leads_to_the_root()
    {
        using var authority = Open();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var chain = authority.Sign(Request(key), _alice, TimeSpan.Zero);

        using var leaf = X509Certificate2.CreateFromPem(chain[0]);
        using var root = X509Certificate2.CreateFromPem(chain[^1]);
        Assert.Equal(authority.RootPem, chain[^1]);
        Assert.True(Builds(leaf, root));
        Assert.Equal(["spiffe://cluster.local/ns/shop/sa/alice"], Uris(leaf));
        Assert.Equal("", leaf.Subject);
        Assert.True(Extension<X509SubjectAlternativeNameExtension>(leaf).Critical);
        Assert.False(Extension<X509BasicConstraintsExtension>(leaf).CertificateAuthority);
        Assert.Equal(
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, Extension<X509KeyUsageExtension>(leaf).KeyUsages);
        Assert.Equal(
            ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
            Extension<X509EnhancedKeyUsageExtension>(leaf).EnhancedKeyUsages.Cast<Oid>().Select(oid => oid.Value!));
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), leaf.GetECDsaPublicKey()!.ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public void Names_that_the_request_asks_for_are_ignored()
    {
        using var authority = Open();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri("spiffe://cluster.local/ns/shop/sa/bob"));
        names.AddDnsName("bank.example");
        var asked = Request(key, "CN=bank.example", names.Build(), new X509BasicConstraintsExtension(true, false, 0, true));

        using var leaf = X509Certificate2.CreateFromPem(authority.Sign(asked, _alice, TimeSpan.Zero)[0]);

        Assert.Equal(["spiffe://cluster.local/ns/shop/sa/alice"], Uris(leaf));
        Assert.Empty(Extension<X509SubjectAlternativeNameExtension>(leaf).EnumerateDnsNames());
        Assert.Equal("", leaf.Subject);
        Assert.False(Extension<X509BasicConstraintsExtension>(leaf).CertificateAuthority);
    }

    [Fact]
    public void An_rsa_key_is_signed_too()
    {
        using var authority = Open();
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var chain = authority.Sign(request.CreateSigningRequestPem(), _alice, TimeSpan.Zero);
        using var leaf = X509Certificate2.CreateFromPem(chain[0]);
        using var root = X509Certificate2.CreateFromPem(chain[^1]);
        Assert.True(Builds(leaf, root));
    }

    [Theory]
    [InlineData(0, 24 * 3600)]
    [InlineData(30, 30)]
    [InlineData(1, 5)]
    [InlineData(-7, 24 * 3600)]
    [InlineData(100L * 24 * 3600, 90L * 24 * 3600)]
    public void Lifetimes_are_clamped(long asked, long given)
    {
        using var authority = Open();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var before = TimeProvider.System.GetUtcNow();
        using var leaf = X509Certificate2.CreateFromPem(authority.Sign(Request(key), _alice, TimeSpan.FromSeconds(asked))[0]);
        Assert.InRange((new DateTimeOffset(leaf.NotAfter) - before).TotalSeconds, given - 2, given + 5);
        Assert.InRange((before - new DateTimeOffset(leaf.NotBefore)).TotalSeconds, 110, 125);
    }

    [Fact]
    public void No_certificate_outlives_the_root()
    {
        using var authority = Open(AuthorityLimits.Default with { RootLifetime = TimeSpan.FromHours(1) });
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var chain = authority.Sign(Request(key), _alice, TimeSpan.FromDays(5));
        using var leaf = X509Certificate2.CreateFromPem(chain[0]);
        using var root = X509Certificate2.CreateFromPem(chain[^1]);
        Assert.Equal(root.NotAfter, leaf.NotAfter);
    }

    [Fact]
    public void Serial_numbers_are_random_and_positive()
    {
        using var authority = Open();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serials = Enumerable.Range(0, 50).Select(_ =>
        {
            using var leaf = X509Certificate2.CreateFromPem(authority.Sign(Request(key), _alice, TimeSpan.Zero)[0]);
            Assert.Equal(16, leaf.SerialNumberBytes.Length);
            Assert.True(leaf.SerialNumberBytes.Span[0] < 0x80);
            return leaf.SerialNumber;
        });
        Assert.Equal(50, serials.Distinct().Count());
        Assert.Equal(50, authority.Issued);
    }

    [Fact]
    public void A_request_with_a_wrong_signature_is_refused()
    {
        using var authority = Open();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        // Another's public key in a request signed with our own: we do not hold its private key.
        var der = new CertificateRequest("", key, HashAlgorithmName.SHA256).CreateSigningRequest();
        var forged = Convert.ToHexString(der).Replace(
            Convert.ToHexString(key.ExportSubjectPublicKeyInfo()), Convert.ToHexString(other.ExportSubjectPublicKeyInfo()), StringComparison.Ordinal);
        Assert.NotEqual(Convert.ToHexString(der), forged);
        var pem = PemEncoding.WriteString("CERTIFICATE REQUEST", Convert.FromHexString(forged));

        Assert.Throws<SigningRefusedException>(() => authority.Sign(pem, _alice, TimeSpan.Zero));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not pem")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----")]
    public void What_is_no_request_is_refused(string pem)
    {
        using var authority = Open();
        Assert.Throws<SigningRefusedException>(() => authority.Sign(pem, _alice, TimeSpan.Zero));
    }

    [Fact]
    public void A_weak_key_is_refused()
    {
        using var authority = Open();
        using var key = RSA.Create(1024);
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem();
        var error = Assert.Throws<SigningRefusedException>(() => authority.Sign(request, _alice, TimeSpan.Zero));
        Assert.Contains("too weak", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_above_the_limit_is_refused_by_its_name()
    {
        using var authority = Open();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var padded = Request(key) + new string(' ', AuthorityLimits.Default.MaxRequestChars);
        var error = Assert.Throws<SigningRefusedException>(() => authority.Sign(padded, _alice, TimeSpan.Zero));
        Assert.Contains("AuthorityLimits.MaxRequestChars", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mutated_requests_are_signed_for_the_caller_or_refused_never_worse()
    {
        using var authority = Open();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var der = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSigningRequest();
        var random = new Random(3);
        for (var i = 0; i < 500; i++)
        {
            var copy = (byte[])der.Clone();
            copy[random.Next(copy.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                var chain = authority.Sign(PemEncoding.WriteString("CERTIFICATE REQUEST", copy), _alice, TimeSpan.Zero);
                using var leaf = X509Certificate2.CreateFromPem(chain[0]);
                Assert.Equal(key.ExportSubjectPublicKeyInfo(), leaf.GetECDsaPublicKey()!.ExportSubjectPublicKeyInfo());
            }
            catch (SigningRefusedException)
            {
                // As it should be.
            }
        }
    }

    [Fact]
    public void The_root_is_the_same_after_a_restart_and_only_its_owner_can_read_it()
    {
        string first;
        using (var authority = Open())
        {
            first = authority.RootPem;
        }

        using var again = Open();
        Assert.Equal(first, again.RootPem);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, "root-key.pem")));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder));
    }

    [Fact]
    public void A_key_that_others_can_read_is_refused_with_the_cure()
    {
        Open().Dispose();
        var key = Path.Combine(_folder, "root-key.pem");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        var error = Assert.Throws<InvalidOperationException>(() => Open());
        Assert.Contains($"chmod 600 {key}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_and_certificate_that_do_not_belong_together_are_refused()
    {
        Open().Dispose();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(Path.Combine(_folder, "root-key.pem"), other.ExportPkcs8PrivateKeyPem());
        Assert.Contains("do not belong together", Assert.Throws<InvalidOperationException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_first_start_that_was_cut_short_is_begun_again()
    {
        Open().Dispose();
        File.Delete(Path.Combine(_folder, "root-key.pem"));
        File.WriteAllText(Path.Combine(_folder, "root-key.pem.new"), "half");
        using var authority = Open();
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", authority.RootPem, StringComparison.Ordinal);
    }

    internal static string Request(ECDsa key, string subject = "", params X509Extension[] extensions)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        foreach (var extension in extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        return request.CreateSigningRequestPem();
    }

    internal static IReadOnlyList<string> Uris(X509Certificate2 certificate)
    {
        var found = new List<string>();
        var names = new AsnReader(Extension<X509SubjectAlternativeNameExtension>(certificate).RawData, AsnEncodingRules.DER).ReadSequence();
        while (names.HasData)
        {
            var tag = names.PeekTag();
            if (tag.TagValue == 6)
            {
                found.Add(Encoding.ASCII.GetString(names.ReadOctetString(tag)));
            }
            else
            {
                names.ReadEncodedValue();
            }
        }

        return found;
    }

    internal static bool Builds(X509Certificate2 leaf, X509Certificate2 root)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(leaf);
    }

    private static T Extension<T>(X509Certificate2 certificate)
        where T : X509Extension => certificate.Extensions.OfType<T>().Single();

    private CertificateAuthority Open(AuthorityLimits? limits = null)
    {
        limits ??= AuthorityLimits.Default;
        return new CertificateAuthority(
            RootAuthority.Open(_folder, "cluster.local", limits, TimeProvider.System),
            limits,
            TimeProvider.System,
            NullLogger<CertificateAuthority>.Instance);
    }
}
