// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Envoy.Service.Discovery.V3;
using Istio.V1.Auth;
using Weft.Control.Authority;
using Weft.Control.Serving;
using Weft.Control.Tests.Authority;
using Weft.Kubernetes;
using Weft.Wire;
using Weft.Wire.Ads;

namespace Weft.Control.Tests.Serving;

public sealed class ControlPlaneTests
{
    private const string V1 = "outbound|80|v1|reviews.shop.svc.cluster.local";
    private const string DeltaPath = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
    private const string SigningPath = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

    [Fact]
    public async Task A_change_is_sent_only_to_the_proxies_whose_plan_it_changes()
    {
        const int Bystanders = 5;
        await using var control = await RunningControl.StartAsync(api =>
        {
            api.Put(Kinds.VirtualService, RunningControl.Route("reviews", 90));
            api.Put(Kinds.DestinationRule, RunningControl.Rule("reviews"));

            // Who imports only their own namespace have nothing of the shop's in their plans.
            api.Put(Kinds.Sidecar, JsonNode.Parse("""
                {"apiVersion":"networking.istio.io/v1","kind":"Sidecar","metadata":{"name":"own","namespace":"other"},"spec":{"egress":[{"hosts":["./*"]}]} }
                """)!.AsObject());
        });
        await using var near = await TestProxy.ConnectAsync(control.Xds);
        await near.UntilAsync(session => session.Plan is not null && near.WeightOf("outbound|80|v1|reviews.shop.svc.cluster.local") == 90);
        var far = new List<TestProxy>();
        for (var i = 0; i < Bystanders; i++)
        {
            far.Add(await TestProxy.ConnectAsync(control.Xds, $"far-{i}", "other"));
            await far[i].UntilAsync(session => session.Plan is not null);
        }

        var before = await UntilAsync(
            async () => (await control.JsonAsync("/debug/syncz")).AsArray(), all => all.Count == Bystanders + 1 && all.All(p => p!.Text("types", "RDS", "state") is "SYNCED" or "NOT SENT"));
        control.Api.Put(Kinds.VirtualService, RunningControl.Route("reviews", 25));
        await near.UntilAsync(_ => near.WeightOf("outbound|80|v1|reviews.shop.svc.cluster.local") == 25);
        var after = await UntilAsync(
            async () => (await control.JsonAsync("/debug/syncz")).AsArray(),
            all => all.Any(p => Sent(p!, "RDS") != Sent(before.Single(b => b!.Text("proxy") == p!.Text("proxy"))!, "RDS")));
        var changed = after.Where(p => new[] { "CDS", "EDS", "LDS", "RDS" }.Any(type => Sent(p!, type) != Sent(before.Single(b => b!.Text("proxy") == p!.Text("proxy"))!, type))).Select(p => p!.Text("proxy"));
        Assert.Equal("web-1.shop", Assert.Single(changed));
        Assert.Equal(Sent(before.Single(b => b!.Text("proxy") == "web-1.shop")!, "CDS"), Sent(after.Single(b => b!.Text("proxy") == "web-1.shop")!, "CDS"));
        foreach (var proxy in far)
        {
            await proxy.DisposeAsync();
        }

        static string Sent(JsonNode proxy, string type) => proxy["types"]![type]!["sent"]?.ToJsonString() ?? "";
    }

    [Fact]
    public async Task A_changed_weight_reaches_the_proxy_in_a_delta_with_only_that_route()
    {
        await using var control = await StartShopAsync();
        await using var proxy = await TestProxy.ConnectAsync(control.Xds);
        await proxy.UntilAsync(session => session.Plan is not null);
        Assert.Equal(90, proxy.WeightOf(V1));
        Assert.Contains("outbound|80||reviews.shop.svc.cluster.local", proxy.Names(TypeUrls.Cluster));

        control.Api.Put(Kinds.VirtualService, RunningControl.Route("reviews", 25));
        var response = await proxy.ReceiveAsync();

        Assert.Equal(TypeUrls.RouteTable, response!.TypeUrl);
        Assert.Single(response.Resources);
        Assert.Empty(response.RemovedResources);
        Assert.Equal(25, proxy.WeightOf(V1));
    }

    [Fact]
    public async Task A_refusal_is_shown_with_its_reason_and_the_proxy_keeps_what_it_had()
    {
        await using var control = await StartShopAsync();
        await using var proxy = await TestProxy.ConnectAsync(control.Xds);
        await proxy.UntilAsync(session => session.Plan is not null);
        proxy.Refuse = (TypeUrls.RouteTable, "RDS 80: I do not like it");

        control.Api.Put(Kinds.VirtualService, RunningControl.Route("reviews", 25));
        await proxy.ReceiveAsync();

        var status = await UntilAsync(
            async () => (await control.JsonAsync("/debug/syncz"))[0]!, proxyStatus => proxyStatus.Text("types", "RDS", "state") == "REJECTED");
        Assert.Equal("RDS 80: I do not like it", status.Text("types", "RDS", "reason"));
        Assert.NotEqual(status.Text("types", "RDS", "sent"), status.Text("types", "RDS", "acked"));
        Assert.Equal(90, proxy.WeightOf(V1));
        Assert.Contains("pilot_total_xds_rejects 1", (await control.GetAsync("/metrics")).Body, StringComparison.Ordinal);
        Assert.Contains("web-1.shop refused RDS: RDS 80: I do not like it", ProxyStatusTable.RenderRefusals((await control.JsonAsync("/debug/syncz")).AsArray()), StringComparison.Ordinal);

        // The next good plan is offered as usual.
        proxy.Refuse = null;
        control.Api.Put(Kinds.VirtualService, RunningControl.Route("reviews", 60));
        await proxy.UntilAsync(_ => proxy.WeightOf(V1) == 60);
        await UntilAsync(async () => (await control.JsonAsync("/debug/syncz"))[0]!, each => each.Text("types", "RDS", "state") == "SYNCED");
    }

    [Fact]
    public async Task A_broken_object_is_reported_and_its_last_good_version_stays_in_force()
    {
        await using var control = await StartShopAsync();
        await using var proxy = await TestProxy.ConnectAsync(control.Xds);
        await proxy.UntilAsync(session => session.Plan is not null);

        var broken = RunningControl.Route("reviews", 1);
        broken["spec"]!["http"]![0]!["noSuchField"] = true;
        control.Api.Put(Kinds.VirtualService, broken);
        var found = await UntilAsync(
            async () => await control.JsonAsync("/debug/diagnostics"),
            all => all.Objects("objects").Any(each => each.Flag("inForce") == false));
        Assert.Equal("VirtualService/shop/reviews", found.Objects("objects").First().Text("object"));
        Assert.Contains("weft_control_broken_objects 1", (await control.GetAsync("/metrics")).Body, StringComparison.Ordinal);

        // Another object's change is pushed, and with it nothing of the broken one.
        control.Api.Put(Kinds.Service, RunningControl.Service("ratings", 80));
        await proxy.UntilAsync(_ => proxy.Names(TypeUrls.Cluster).Contains("outbound|80||ratings.shop.svc.cluster.local"));
        Assert.Equal(90, proxy.WeightOf(V1));
    }

    [Fact]
    public async Task After_a_restart_a_proxy_is_sent_nothing_that_it_has_and_the_root_is_the_same()
    {
        await using var control = await StartShopAsync();
        DeltaClientSession session;
        string root;
        await using (var proxy = await TestProxy.ConnectAsync(control.Xds))
        {
            await proxy.UntilAsync(each => each.Plan is not null);
            session = proxy.Session;
            root = (await SignAsync(control, "shop/web/web-1")).Answer!.CertChain[^1];
        }

        await control.StopPlaneAsync();
        control.Api.Put(Kinds.VirtualService, RunningControl.Route("reviews", 33));
        await control.StartPlaneAsync();

        Assert.Equal(root, (await SignAsync(control, "shop/web/web-1")).Answer!.CertChain[^1]);
        await using var again = await TestProxy.ConnectAsync(control.Xds, session: session);
        var sent = new List<string>();
        while (again.WeightOf(V1) != 33)
        {
            sent.AddRange((await again.ReceiveAsync())!.Resources.Select(resource => resource.Name));
        }

        Assert.Single(sent);
    }

    [Fact]
    public async Task A_token_that_the_api_refuses_is_unauthenticated()
    {
        await using var control = await RunningControl.StartAsync();
        var bad = await CallAsync(control, "not-known", Opening("web-1", "shop"));
        var none = await CallAsync(control, null, Opening("web-1", "shop"));
        Assert.Equal("16", bad.Status);
        Assert.Contains("the token is not known", bad.Message, StringComparison.Ordinal);
        Assert.Equal("16", none.Status);
        Assert.Contains("citadel_server_authentication_failure_count 2", (await control.GetAsync("/metrics")).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop/web/web-1", "web-1", "bank", "claims namespace 'bank'")]
    [InlineData("shop/web/web-1", "web-2", "shop", "bound to pod 'web-1'")]
    [InlineData("shop/other/web-1", "web-1", "shop", "runs as service account 'web'|claims service account 'web'")]
    public async Task A_proxy_may_only_be_itself(string token, string pod, string ns, string reason)
    {
        await using var control = await RunningControl.StartAsync();
        var (_, status, message) = await CallAsync(control, token, Opening(pod, ns));
        Assert.Equal("7", status);
        Assert.Contains(reason.Split('|'), part => message.Contains(part, StringComparison.Ordinal));
        Assert.Empty((await control.JsonAsync("/debug/syncz")).AsArray());
    }

    [Fact]
    public async Task A_first_request_without_a_node_says_what_is_missing()
    {
        await using var control = await RunningControl.StartAsync();
        var (_, status, message) = await CallAsync(control, "shop/web/web-1", new DeltaDiscoveryRequest { TypeUrl = TypeUrls.Cluster });
        Assert.Equal("3", status);
        Assert.Contains("must name its node", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signing_request_for_another_is_signed_for_the_caller()
    {
        await using var control = await RunningControl.StartAsync();
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri("spiffe://cluster.local/ns/bank/sa/boss"));
        var (answer, status, _) = await SignAsync(control, "shop/web/web-1", names.Build());

        Assert.Equal("0", status);
        using var leaf = X509Certificate2.CreateFromPem(answer!.CertChain[0]);
        using var root = X509Certificate2.CreateFromPem(answer.CertChain[^1]);
        Assert.Equal(["spiffe://cluster.local/ns/shop/sa/web"], CertificateAuthorityTests.Uris(leaf));
        Assert.True(CertificateAuthorityTests.Builds(leaf, root));
        Assert.InRange(new DateTimeOffset(leaf.NotAfter) - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(-30), TimeSpan.FromSeconds(61));
    }

    [Fact]
    public async Task What_is_no_signing_request_is_refused()
    {
        await using var control = await RunningControl.StartAsync();
        using var client = new GrpcTestClient(control.Xds);
        var (_, status, message) = await client.CallAsync(
            SigningPath, "shop/web/web-1", GrpcTestClient.Frame(new IstioCertificateRequest { Csr = "nonsense" }), IstioCertificateResponse.Parser);
        Assert.Equal("3", status);
        Assert.Contains("signing request", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_above_the_limit_is_refused_by_its_name()
    {
        await using var control = await RunningControl.StartAsync();
        using var client = new GrpcTestClient(control.Xds);
        var (_, status, message) = await client.CallAsync(
            DeltaPath, "shop/web/web-1", [0, 0x7f, 0, 0, 0], DeltaDiscoveryResponse.Parser);
        Assert.Equal("8", status);
        Assert.Contains("ServingLimits.MaxMessageBytes", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_method_and_a_cut_message_have_their_status()
    {
        await using var control = await RunningControl.StartAsync();
        using var client = new GrpcTestClient(control.Xds);
        var unknown = await client.CallAsync("/a.b/C", "shop/web/web-1", [], DeltaDiscoveryResponse.Parser);
        var cut = await client.CallAsync(DeltaPath, "shop/web/web-1", [0, 0, 0, 0, 9, 1], DeltaDiscoveryResponse.Parser);
        Assert.Equal("12", unknown.Status);
        Assert.Equal("3", cut.Status);
        Assert.Contains("in the middle of a message", cut.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_root_is_published_in_every_namespace()
    {
        await using var control = await RunningControl.StartAsync();
        var map = await UntilAsync(
            () => Task.FromResult(control.Api.Get(Kinds.ConfigMap, "shop", RootPublisher.ConfigMapName)), found => found is not null);
        Assert.Equal((await SignAsync(control, "shop/web/web-1")).Answer!.CertChain[^1], map!.Text("data", "root-cert.pem"));

        // Deleted or changed by somebody: put right.
        control.Api.Remove(Kinds.ConfigMap, "shop", RootPublisher.ConfigMapName);
        var again = await UntilAsync(
            () => Task.FromResult(control.Api.Get(Kinds.ConfigMap, "shop", RootPublisher.ConfigMapName)), found => found is not null);
        var changed = (JsonObject)again!.DeepClone();
        changed["data"]!["root-cert.pem"] = "nonsense";
        control.Api.Put(Kinds.ConfigMap, changed);
        await UntilAsync(
            () => Task.FromResult(control.Api.Get(Kinds.ConfigMap, "shop", RootPublisher.ConfigMapName)),
            found => found?.Text("data", "root-cert.pem") == map!.Text("data", "root-cert.pem"));

        control.Api.Put(Kinds.Namespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "late" } });
        await UntilAsync(() => Task.FromResult(control.Api.Get(Kinds.ConfigMap, "late", RootPublisher.ConfigMapName)), found => found is not null);
    }

    [Fact]
    public async Task A_pod_that_starts_serving_becomes_an_endpoint()
    {
        await using var control = await StartShopAsync();
        await using var proxy = await TestProxy.ConnectAsync(control.Xds);
        await proxy.UntilAsync(session => session.Plan is not null);
        control.Api.Put(Kinds.Pod, RunningControl.Pod("reviews-2", "reviews", "10.0.0.77"));
        control.Api.Put(Kinds.EndpointSlice, RunningControl.Slice("reviews", "10.0.0.77", "reviews-2"));
        var response = await proxy.ReceiveAsync();
        Assert.Equal(TypeUrls.Endpoints, response!.TypeUrl);
        await proxy.UntilAsync(session => session.Plan!.Endpoints.Any(each => each.Endpoints.Any(endpoint => endpoint.Address == "10.0.0.77")));
    }

    [Fact]
    public async Task The_debug_api_shows_proxies_plans_and_the_registry()
    {
        await using var control = await StartShopAsync();
        await using var proxy = await TestProxy.ConnectAsync(control.Xds);
        await proxy.UntilAsync(session => session.Plan is not null);

        var syncz = await UntilAsync(
            async () => (await control.JsonAsync("/debug/syncz")).AsArray(),
            all => all.Count == 1 && all[0]!.Text("types", "RDS", "state") == "SYNCED" && all[0]!.Text("types", "EDS", "state") == "SYNCED");
        var table = ProxyStatusTable.Render(syncz, "weft-control").Split('\n');
        Assert.Equal(
            ["NAME", "CLUSTER", "CDS", "LDS", "EDS", "RDS", "SDS", "ECDS", "ISTIOD", "VERSION"],
            table[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("web-1.shop     Kubernetes     SYNCED     SYNCED     SYNCED     SYNCED     NOT SENT     NOT SENT     weft-control", table[1], StringComparison.Ordinal);

        var dump = await control.JsonAsync("/debug/config_dump?proxyID=web-1.shop");
        var clusters = dump["configs"]!.AsArray().OfType<JsonObject>().First(each => each.Text("@type")!.EndsWith("ClustersConfigDump", StringComparison.Ordinal));
        Assert.Contains(clusters.Objects("dynamic_active_clusters"), each => each.Text("cluster", "name") == V1);
        var routes = dump["configs"]!.AsArray().OfType<JsonObject>().First(each => each.Text("@type")!.EndsWith("RoutesConfigDump", StringComparison.Ordinal));
        Assert.Contains("\"weight\": 90", routes.ToJsonString(new() { WriteIndented = true }), StringComparison.Ordinal);

        Assert.Equal(404, (await control.GetAsync("/debug/config_dump?proxyID=nobody")).Status);
        Assert.Equal(404, (await control.GetAsync("/nothing")).Status);
        Assert.Equal(200, (await control.GetAsync("/ready")).Status);
        var registry = await control.JsonAsync("/debug/registryz");
        Assert.Equal("reviews.shop.svc.cluster.local", registry.Objects("services").Single().Text("hostname"));
        var metrics = (await control.GetAsync("/metrics")).Body;
        Assert.Contains("pilot_xds 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("pilot_services 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("pilot_virt_services 1\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_that_does_not_read_gets_only_the_newest_plan()
    {
        await using var control = await StartShopAsync();
        await using var proxy = await TestProxy.ConnectAsync(control.Xds);
        await proxy.UntilAsync(session => session.Plan is not null);

        // Nothing is read or acknowledged while a hundred changes come, far enough apart to be plans of their own.
        for (var weight = 0; weight < 100; weight++)
        {
            control.Api.Put(Kinds.VirtualService, RunningControl.Route("reviews", weight));
            await Task.Delay(30);
        }

        var responses = 0;
        while (proxy.WeightOf(V1) != 99)
        {
            Assert.NotNull(await proxy.ReceiveAsync());
            responses++;
        }

        Assert.InRange(responses, 1, 3);
    }

    [Fact]
    public async Task A_change_is_in_force_well_within_a_second_with_other_proxies_connected()
    {
        await using var control = await StartShopAsync();
        var proxies = new List<TestProxy>();
        for (var i = 0; i < 20; i++)
        {
            control.Api.Put(Kinds.Pod, RunningControl.Pod($"web-{i}", "web", $"10.0.1.{i}"));
            proxies.Add(await TestProxy.ConnectAsync(control.Xds, $"web-{i}"));
        }

        foreach (var proxy in proxies)
        {
            await proxy.UntilAsync(session => session.Plan is not null);
        }

        var watch = Stopwatch.StartNew();
        control.Api.Put(Kinds.VirtualService, RunningControl.Route("reviews", 5));
        await Task.WhenAll(proxies.Select(proxy => proxy.UntilAsync(_ => proxy.WeightOf(V1) == 5)));

        // A second is the promise on an idle machine; this one may be running other tests.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"It took {watch.Elapsed}.");
        foreach (var proxy in proxies)
        {
            await proxy.DisposeAsync();
        }
    }

    private static Task<RunningControl> StartShopAsync() => RunningControl.StartAsync(api =>
    {
        api.Put(Kinds.VirtualService, RunningControl.Route("reviews", 90));
        api.Put(Kinds.DestinationRule, RunningControl.Rule("reviews"));
    });

    private static DeltaDiscoveryRequest Opening(string pod, string ns) => new()
    {
        TypeUrl = TypeUrls.Cluster,
        Node = NodeMessage.Create($"sidecar~10.0.0.9~{pod}.{ns}~{ns}.svc.cluster.local", pod, []),
    };

    private static async Task<(DeltaDiscoveryResponse? Answer, string Status, string Message)> CallAsync(
        RunningControl control, string? token, DeltaDiscoveryRequest first)
    {
        using var client = new GrpcTestClient(control.Xds);
        return await client.CallAsync(DeltaPath, token, GrpcTestClient.Frame(first), DeltaDiscoveryResponse.Parser);
    }

    private static async Task<(IstioCertificateResponse? Answer, string Status, string Message)> SignAsync(
        RunningControl control, string token, params X509Extension[] extensions)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var client = new GrpcTestClient(control.Xds);
        var request = new IstioCertificateRequest { Csr = CertificateAuthorityTests.Request(key, "", extensions), ValidityDuration = 60 };
        return await client.CallAsync(SigningPath, token, GrpcTestClient.Frame(request), IstioCertificateResponse.Parser);
    }

    internal static async Task<T> UntilAsync<T>(Func<Task<T>> get, Func<T, bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var value = await get();
            if (condition(value))
            {
                return value;
            }

            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"It did not happen within 30 s; the last was: {value}");
            await Task.Delay(20);
        }
    }
}
