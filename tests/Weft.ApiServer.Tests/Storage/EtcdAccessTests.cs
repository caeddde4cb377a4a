// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weft.ApiServer.Storage;
using Xunit;
using StoreLocation = Weft.ApiServer.Storage.StoreLocation;

namespace Weft.ApiServer.Tests.Storage;

/// <summary>Who may use an etcd, and how --store says so.</summary>
public sealed class EtcdAccessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-etcd-").FullName;

    [Fact]
    public async Task Passwords_are_sent_and_wrong_ones_are_named()
    {
        await using var etcd = await EtcdServer.StartAsync();
        await etcd.ControlAsync("user", "add", "root:secret");
        await etcd.ControlAsync("user", "grant-role", "root", "root");
        await etcd.ControlAsync("auth", "enable");
        var anonymous = Assert.Throws<StoreException>(() => EtcdStoreTests.Open(etcd.Url));
        Assert.Contains("user name is empty", anonymous.Message, StringComparison.Ordinal);
        var wrong = Write("wrong", "guess");
        var refused = Assert.Throws<StoreException>(() => EtcdStoreTests.Open(With(etcd, "root@", $"password-file={wrong}")));
        Assert.Contains($"user 'root' with the password in '{wrong}'", refused.Message, StringComparison.Ordinal);
        using var store = EtcdStoreTests.Open(With(etcd, "root@", $"password-file={Write("right", "secret\n")}"));
        Assert.NotNull(store.TryCreate("configmaps", StoreConformance.Map("a")));
    }

    [Fact]
    public async Task Tls_trusts_the_named_authority_only_and_shows_the_clients_certificate()
    {
        var (ca, cert, key) = Certificates();
        await using var etcd = await EtcdServer.StartAsync(
            "https", "--cert-file", cert, "--key-file", key, "--trusted-ca-file", ca, "--client-cert-auth");
        using (var store = EtcdStoreTests.Open(With(etcd, "", $"ca={ca}&cert={cert}&key={key}")))
        {
            Assert.NotNull(store.TryCreate("configmaps", StoreConformance.Map("a")));
        }

        Assert.Throws<StoreException>(() => EtcdStoreTests.Open(With(etcd, "", $"cert={cert}&key={key}")));
        Assert.Throws<StoreException>(() => EtcdStoreTests.Open(With(etcd, "", $"ca={ca}")));
    }

    [Theory]
    [InlineData("redis://x", "'redis://x' is no store: write etcd://HOST:PORT")]
    [InlineData("etcd://", "is no host and port")]
    [InlineData("etcd://10.0.0.1:2379", "sends every Secret to 10.0.0.1 as plain text")]
    [InlineData("etcds://u:p@h", "a password in --store would be seen by everybody")]
    [InlineData("etcds://u@h", "a user and password-file go together")]
    [InlineData("etcds://h?cert=/etc/hostname", "cert and key go together")]
    [InlineData("etcds://h?ca=/does/not/exist", "there is no file '/does/not/exist'")]
    [InlineData("etcd://127.0.0.1?ca=/etc/hostname", "belong to etcds://")]
    [InlineData("etcds://h?colour=red", "'colour=red' in")]
    public void A_location_that_cannot_be_meant_is_refused_with_a_cure(string text, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => StoreLocation.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("etcd://127.0.0.1", "etcd://127.0.0.1:2379/weft/")]
    [InlineData("etcd://localhost:1,127.0.0.1:2/a/b", "etcd://localhost:1,127.0.0.1:2/a/b/")]
    [InlineData("etcd://[::1]:5?insecure=true", "etcd://[::1]:5/weft/")]
    [InlineData("etcds://u@h:7/?password-file=/etc/hostname", "etcds://h:7/weft/")]
    public void A_location_survives_its_own_text(string text, string shown)
    {
        var location = StoreLocation.Parse(text);
        var again = StoreLocation.Parse(location.ToText());
        Assert.Equal(shown, location.ToString());
        Assert.Equal((shown, location.User, location.PasswordFile), (again.ToString(), again.User, again.PasswordFile));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string With(EtcdServer etcd, string user, string options) =>
        etcd.Url.Replace("://", "://" + user, StringComparison.Ordinal) + "?" + options;

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private (string Ca, string Cert, string Key) Certificates()
    {
        var from = DateTimeOffset.UnixEpoch.AddYears(50);
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest("CN=test root", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = rootRequest.CreateSelfSigned(from, from.AddYears(50));
        using var leafKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=etcd", leafKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var leaf = request.Create(root, from, from.AddYears(50), [1, 2, 3]);
        return (Write("ca.pem", root.ExportCertificatePem()), Write("cert.pem", leaf.ExportCertificatePem()),
            Write("key.pem", leafKey.ExportPkcs8PrivateKeyPem()));
    }
}
