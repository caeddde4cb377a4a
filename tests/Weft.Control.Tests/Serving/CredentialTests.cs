// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Control.Tests.Serving;

/// <summary>Secrets of gateways: who gets them, when they change, and what is said about them.</summary>
public sealed class CredentialTests
{
    [Fact]
    public async Task A_gateway_gets_its_secret_and_every_new_version_of_it()
    {
        await using var control = await RunningControl.StartAsync(Prepare);
        await using var proxy = await TestProxy.ConnectAsync(control.Xds, type: "router");
        await proxy.UntilAsync(session => session.Plan is not null);
        Assert.Empty(proxy.Session.Plan!.Secrets);

        var (first, second) = (Secret(), Secret());
        control.Api.Put(Kinds.Secret, first);
        await proxy.UntilAsync(session => session.Plan!.Secrets is [{ Name: "kubernetes://cert" } secret] && secret.KeyPem == Key(first));
        control.Api.Put(Kinds.Secret, second);
        await proxy.UntilAsync(session => session.Plan!.Secrets is [var secret] && secret.KeyPem == Key(second));

        // What cannot be used leaves the last good one in force, and is said.
        control.Api.Put(Kinds.Secret, Secret(key: "no key"));
        await ControlPlaneTests.UntilAsync(
            async () => (await control.GetAsync("/debug/diagnostics")).Body, text => text.Contains("WEFT3041", StringComparison.Ordinal));
        Assert.Equal(Key(second), proxy.Session.Plan!.Secrets[0].KeyPem);

        control.Api.Remove(Kinds.Secret, "shop", "cert");
        await proxy.UntilAsync(session => session.Plan!.Secrets.Count == 0);
    }

    [Fact]
    public async Task An_account_that_may_not_read_secrets_gets_none_and_one_that_loses_the_right_loses_them()
    {
        var may = false;
        await using var control = await RunningControl.StartAsync(api =>
        {
            Prepare(api);
            api.Put(Kinds.Secret, Secret());
            api.ReviewAccess = user => may && user == "system:serviceaccount:shop:web";
        });
        await using var proxy = await TestProxy.ConnectAsync(control.Xds, type: "router");
        await proxy.UntilAsync(session => session.Plan is not null);
        Assert.Empty(proxy.Session.Plan!.Secrets);
        Assert.Contains("WEFT3042", (await control.GetAsync("/debug/diagnostics")).Body, StringComparison.Ordinal);

        may = true;
        await proxy.UntilAsync(session => session.Plan!.Secrets.Count == 1);
        may = false;
        await proxy.UntilAsync(session => session.Plan!.Secrets.Count == 0);
    }

    [Fact]
    public async Task No_page_of_the_control_plane_shows_a_key()
    {
        var secret = Secret();
        await using var control = await RunningControl.StartAsync(api =>
        {
            Prepare(api);
            api.Put(Kinds.Secret, secret);
        });
        await using var proxy = await TestProxy.ConnectAsync(control.Xds, type: "router");
        await proxy.UntilAsync(session => session.Plan is { Secrets.Count: 1 });
        foreach (var page in new[] { "/debug/syncz", "/debug/config_dump?proxyID=web-1.shop", "/debug/diagnostics", "/debug/registryz", "/metrics" })
        {
            var (status, body) = await control.GetAsync(page);
            Assert.Equal(200, status);
            Assert.DoesNotContain("PRIVATE KEY", body, StringComparison.Ordinal);
            Assert.DoesNotContain(secret.Text("data", "tls.key")!, body, StringComparison.Ordinal);
        }
    }

    private static void Prepare(Weft.Kubernetes.Tests.Fakes.FakeApi api)
    {
        api.ReviewAccess = user => user == "system:serviceaccount:shop:web";
        api.Put(Kinds.Gateway, JsonNode.Parse(
            """
            {"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"edge","namespace":"shop"},
             "spec":{"selector":{"app":"web"},"servers":[{"port":{"number":443,"name":"https","protocol":"HTTPS"},
               "hosts":["shop.example.com"],"tls":{"mode":"SIMPLE","credentialName":"cert"}}]} }
            """)!.AsObject());
    }

    private static string Key(JsonObject secret) => Encoding.UTF8.GetString(Convert.FromBase64String(secret.Text("data", "tls.key")!));

    private static JsonObject Secret(string? key = null)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=shop.example.com", own, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = "cert", ["namespace"] = "shop" },
            ["type"] = "kubernetes.io/tls",
            ["data"] = new JsonObject
            {
                ["tls.crt"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(certificate.ExportCertificatePem())),
                ["tls.key"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(key ?? own.ExportPkcs8PrivateKeyPem())),
            },
        };
    }
}
