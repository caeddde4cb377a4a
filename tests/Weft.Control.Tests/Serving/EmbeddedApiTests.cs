// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Istio.V1.Auth;
using Weft.ApiServer;
using Weft.Control.Authority;
using Weft.Control.Injection;
using Weft.Control.Tests.Authority;
using Weft.Kubernetes;

namespace Weft.Control.Tests.Serving;

/// <summary>The control plane against the embedded API server itself: tokens, watches and injection as they are at run time.</summary>
public sealed class EmbeddedApiTests : IAsyncLifetime
{
    private const string Reviews = "outbound|80|v1|reviews.shop.svc.cluster.local";
    private static readonly CancellationToken _none = CancellationToken.None;
    private EmbeddedMesh _mesh = null!;
    private KubernetesClient _client = null!;

    private string Xds => _mesh.Xds;

    public async Task InitializeAsync()
    {
        _mesh = await EmbeddedMesh.StartAsync(
            new AdmissionHooks((pod, ns, _) => SidecarInjector.Inject(pod, ns), item => [.. Dialects.Dialects.ParseObject(item).Diagnostics]));
        _client = _mesh.Client;
    }

    public async Task DisposeAsync() => await _mesh.DisposeAsync();

    [Fact]
    public async Task A_pod_is_injected_gets_its_plan_and_its_certificate_and_sees_a_change()
    {
        await CreateAsync(Kinds.Namespace, null, JsonNode.Parse(
            """{"metadata":{"name":"shop","labels":{"istio-injection":"enabled"}}}""")!.AsObject());
        await CreateAsync(Kinds.ServiceAccount, "shop", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "web" } });
        await CreateAsync(Kinds.Service, "shop", RunningControl.Service("reviews", 80));
        await CreateAsync(Kinds.DestinationRule, "shop", RunningControl.Rule("reviews"));
        await CreateAsync(Kinds.VirtualService, "shop", RunningControl.Route("reviews", 90));
        var written = RunningControl.Pod("web-1", "web", "10.0.0.9");
        written.Remove("status");
        written["metadata"]!.AsObject().Remove("labels");
        var pod = await CreateAsync(Kinds.Pod, "shop", written);
        Assert.Equal(["weft-proxy", "app"], pod.Objects("spec", "containers").Select(container => container.Text("name")));
        await _client.PatchStatusAsync(
            Kinds.Pod, "shop", "web-1", new JsonObject { ["status"] = new JsonObject { ["phase"] = "Running", ["podIP"] = "10.0.0.9" } }, _none);

        var token = await TokenAsync(pod);
        await using var proxy = await TestProxy.ConnectAsync(Xds, token: token);
        await proxy.UntilAsync(session => session.Plan is not null && proxy.WeightOf(Reviews) == 90);
        await _client.PatchAsync(
            Kinds.VirtualService, "shop", "reviews", new JsonObject { ["spec"] = RunningControl.Route("reviews", 25)["spec"]!.DeepClone() }, _none);
        await proxy.UntilAsync(_ => proxy.WeightOf(Reviews) == 25);

        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        using var client = new GrpcTestClient(Xds);
        var request = new IstioCertificateRequest { Csr = CertificateAuthorityTests.Request(key) };
        var (answer, status, message) = await client.CallAsync(
            "/istio.v1.auth.IstioCertificateService/CreateCertificate", token, GrpcTestClient.Frame(request), IstioCertificateResponse.Parser);
        Assert.Equal(("0", ""), (status, message));
        using var leaf = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(answer!.CertChain[0]);
        Assert.Equal(["spiffe://cluster.local/ns/shop/sa/web"], CertificateAuthorityTests.Uris(leaf));
    }

    [Fact]
    public async Task A_token_of_the_api_itself_is_not_good_for_the_mesh()
    {
        await CreateAsync(Kinds.Namespace, null, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "shop" } });
        await CreateAsync(Kinds.ServiceAccount, "shop", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "web" } });
        var answer = await _client.PostSubresourceAsync(Kinds.ServiceAccount, "shop", "web", "token", new JsonObject { ["spec"] = new JsonObject() }, _none);
        using var client = new GrpcTestClient(Xds);
        var (_, status, _) = await client.CallAsync(
            "/istio.v1.auth.IstioCertificateService/CreateCertificate",
            answer.Text("status", "token"),
            GrpcTestClient.Frame(new IstioCertificateRequest()),
            IstioCertificateResponse.Parser);
        Assert.Equal("16", status);
    }

    [Fact]
    public async Task The_root_is_published_in_every_namespace()
    {
        await CreateAsync(Kinds.Namespace, null, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "shop" } });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                var map = await _client.GetAsync(Kinds.ConfigMap, "shop", RootPublisher.ConfigMapName, patience.Token);
                Assert.StartsWith("-----BEGIN CERTIFICATE-----", map.Text("data", RootPublisher.Key), StringComparison.Ordinal);
                return;
            }
            catch (KubernetesException error) when (error.IsNotFound)
            {
                await Task.Delay(20, patience.Token);
            }
        }
    }

    private async Task<JsonObject> CreateAsync(ResourceKind kind, string? ns, JsonObject item)
    {
        item["apiVersion"] = kind.ApiVersion;
        item["kind"] = kind.Kind;
        return await _client.CreateAsync(kind, ns, item, _none);
    }

    private async Task<string> TokenAsync(JsonObject pod)
    {
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject
            {
                ["audiences"] = new JsonArray(TokenAuthenticator.Audience),
                ["boundObjectRef"] = new JsonObject
                {
                    ["kind"] = "Pod",
                    ["apiVersion"] = "v1",
                    ["name"] = pod.Name(),
                    ["uid"] = pod.Uid(),
                },
            },
        };
        var answer = await _client.PostSubresourceAsync(Kinds.ServiceAccount, "shop", "web", "token", request, _none);
        return answer.Text("status", "token")!;
    }
}
