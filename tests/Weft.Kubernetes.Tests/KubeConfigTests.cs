// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Weft.Kubernetes.Tests;

public sealed class KubeConfigTests
{
    [Fact]
    public async Task Server_roots_and_client_certificate_of_the_current_context_are_used()
    {
        using var root = Root("right");
        using var server = Leaf(root, "localhost");
        using var client = Leaf(root, "admin");
        var seen = "";
        await using var app = await ServeAsync(server, context => seen = context.Connection.ClientCertificate?.Subject ?? "none");
        var config = Text(app.Urls.First(), root, client);

        using var kubernetes = new KubernetesClient(KubeConfig.Parse(config, "/nowhere/config"), KubernetesLimits.Default);
        var version = await kubernetes.GetPathAsync("/version", CancellationToken.None);

        Assert.Equal("v1", version.Text("gitVersion"));
        Assert.Equal("CN=admin", seen);
    }

    [Fact]
    public async Task A_server_of_another_root_is_not_trusted()
    {
        using var root = Root("right");
        using var other = Root("wrong");
        using var server = Leaf(other, "localhost");
        using var client = Leaf(root, "admin");
        await using var app = await ServeAsync(server, _ => { });
        using var kubernetes = new KubernetesClient(
            KubeConfig.Parse(Text(app.Urls.First(), root, client), "/nowhere/config"), KubernetesLimits.Default);

        await Assert.ThrowsAsync<HttpRequestException>(() => kubernetes.GetPathAsync("/version", CancellationToken.None));
    }

    [Theory]
    [InlineData("[]", "it is not a map")]
    [InlineData("a: [", "line ")]
    [InlineData("kind: Config", "names no current-context")]
    [InlineData("current-context: x", "no entry 'x' in 'contexts'")]
    public void A_file_that_is_none_says_why(string text, string why)
    {
        var error = Assert.Throws<KubernetesException>(() => KubeConfig.Parse(text, "/nowhere/config"));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    private static string Text(string url, X509Certificate2 root, X509Certificate2 client)
    {
        static string Data(string pem) => Convert.ToBase64String(Encoding.UTF8.GetBytes(pem));
        return $"""
            apiVersion: v1
            kind: Config
            current-context: weft
            contexts: [{"{"}name: weft, context: {"{"}cluster: c, user: u{"}"}{"}"}]
            clusters:
            - name: c
              cluster:
                server: {url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}
                certificate-authority-data: {Data(root.ExportCertificatePem())}
            users:
            - name: u
              user:
                client-certificate-data: {Data(client.ExportCertificatePem())}
                client-key-data: {Data(client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem())}
            """;
    }

    private static async Task<WebApplication> ServeAsync(X509Certificate2 certificate, Action<HttpContext> see)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback,
            0,
            listen => listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (_, _, errors) => errors != SslPolicyErrors.RemoteCertificateNotAvailable;
            })));
        var app = builder.Build();
        app.Run(context =>
        {
            see(context);
            return context.Response.WriteAsync("{\"gitVersion\":\"v1\"}");
        });
        await app.StartAsync();
        return app;
    }

    private static X509Certificate2 Root(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddHours(-1), now.AddHours(2));
    }

    private static X509Certificate2 Leaf(X509Certificate2 root, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(root, new DateTimeOffset(root.NotBefore), new DateTimeOffset(root.NotAfter), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }
}
