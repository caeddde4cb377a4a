// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Control.Injection;
using Weft.Kubernetes;

namespace Weft.Control.Tests.Injection;

public sealed class SidecarInjectorTests
{
    [Theory]

    // namespace: label=value or @annotation=value; pod: the same; injected?
    [InlineData("", "", false)]
    [InlineData("istio-injection=enabled", "", true)]
    [InlineData("istio-injection=disabled", "", false)]
    [InlineData("istio.io/rev=default", "", true)]
    [InlineData("istio-injection=disabled istio.io/rev=default", "", false)]
    [InlineData("@linkerd.io/inject=enabled", "", true)]
    [InlineData("@linkerd.io/inject=disabled", "", false)]
    [InlineData("@linkerd.io/inject=ingress", "", true)]
    [InlineData("istio-injection=enabled", "sidecar.istio.io/inject=false", false)]
    [InlineData("istio-injection=enabled", "@sidecar.istio.io/inject=false", false)]
    [InlineData("istio-injection=enabled", "@sidecar.istio.io/inject=false sidecar.istio.io/inject=true", true)]
    [InlineData("istio-injection=enabled", "@linkerd.io/inject=disabled", false)]
    [InlineData("", "sidecar.istio.io/inject=true", true)]
    [InlineData("", "istio.io/rev=default", true)]
    [InlineData("", "@linkerd.io/inject=enabled", true)]
    [InlineData("istio-injection=disabled", "sidecar.istio.io/inject=true", false)]
    [InlineData("istio-injection=disabled", "istio.io/rev=default", false)]
    [InlineData("istio-injection=disabled", "@linkerd.io/inject=enabled", true)]
    [InlineData("@linkerd.io/inject=enabled", "@linkerd.io/inject=disabled", false)]
    [InlineData("@linkerd.io/inject=enabled", "sidecar.istio.io/inject=false", false)]
    [InlineData("istio-injection=something", "", false)]
    public void The_pods_word_beats_the_namespaces(string ns, string pod, bool injected)
    {
        var result = SidecarInjector.Inject(Marked(Pod(), pod), Marked(Namespace("shop"), ns));
        Assert.Equal(injected, Names(result).Contains("weft-proxy"));
    }

    [Theory]
    [InlineData("kube-system")]
    [InlineData("kube-public")]
    [InlineData("kube-node-lease")]
    [InlineData("local-path-storage")]
    public void Pods_of_system_namespaces_never_get_a_proxy(string ns)
    {
        var pod = Marked(Pod(), "sidecar.istio.io/inject=true");
        pod["metadata"]!["namespace"] = ns;
        Assert.Equal(["app"], Names(SidecarInjector.Inject(pod, Marked(Namespace(ns), "istio-injection=enabled"))));
        Assert.Contains(ns, InjectionDecision.For(pod, null).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_on_the_hosts_network_never_gets_a_proxy()
    {
        var pod = Marked(Pod(), "sidecar.istio.io/inject=true");
        pod["spec"]!["hostNetwork"] = true;
        Assert.Equal(["app"], Names(SidecarInjector.Inject(pod, Enabled())));
    }

    [Fact]
    public void The_proxy_is_first_and_the_pod_says_who_it_is()
    {
        var pod = Pod();
        var before = pod.ToJsonString();
        var result = SidecarInjector.Inject(pod, Enabled());

        Assert.Equal(before, pod.ToJsonString());
        Assert.Equal(["weft-proxy", "app"], Names(result));
        var proxy = result.Objects("spec", "containers").First();
        Assert.Equal(["weft-proxy", "sidecar"], proxy.Texts("command"));
        Assert.Equal("/healthz/ready", proxy.Text("readinessProbe", "httpGet", "path"));
        Assert.Equal(15021, proxy.Number("readinessProbe", "httpGet", "port"));
        Assert.Equal((1, 15), (proxy.Number("startupProbe", "periodSeconds"), proxy.Number("readinessProbe", "periodSeconds")));
        Assert.Equal("istio", result.Label("security.istio.io/tlsMode"));
        Assert.Equal("reviews", result.Label("service.istio.io/canonical-name"));
        Assert.Equal("latest", result.Label("service.istio.io/canonical-revision"));
        Assert.Equal("app", result.Annotation("kubectl.kubernetes.io/default-container"));
        Assert.Equal("app", result.Annotation("kubectl.kubernetes.io/default-logs-container"));
        Assert.Equal("15020", result.Annotation("prometheus.io/port"));
        Assert.Equal(["weft-proxy"], JsonNode.Parse(result.Annotation("sidecar.istio.io/status")!)!.Texts("containers"));
    }

    [Fact]
    public void Injecting_twice_changes_nothing_more()
    {
        var once = SidecarInjector.Inject(Pod(), Enabled());
        var twice = SidecarInjector.Inject(once, Enabled());
        Assert.Equal(once.ToJsonString(), twice.ToJsonString());
    }

    [Fact]
    public void Labels_that_the_author_wrote_stay()
    {
        var pod = Marked(Pod(), "service.istio.io/canonical-name=mine app=other version=v2 security.istio.io/tlsMode=disabled");
        var result = SidecarInjector.Inject(pod, Enabled());
        Assert.Equal("mine", result.Label("service.istio.io/canonical-name"));
        Assert.Equal("v2", result.Label("service.istio.io/canonical-revision"));
        Assert.Equal("disabled", result.Label("security.istio.io/tlsMode"));
    }

    [Fact]
    public void Canonical_names_prefer_the_recommended_labels()
    {
        var result = SidecarInjector.Inject(
            Marked(Pod(), "app.kubernetes.io/name=long app=short app.kubernetes.io/version=7 version=v1"), Enabled());
        Assert.Equal("long", result.Label("service.istio.io/canonical-name"));
        Assert.Equal("7", result.Label("service.istio.io/canonical-revision"));
    }

    [Fact]
    public void Traffic_annotations_stay_for_the_node_agent()
    {
        var result = SidecarInjector.Inject(
            Marked(Pod(), "@traffic.sidecar.istio.io/excludeOutboundPorts=3306 @traffic.sidecar.istio.io/includeInboundPorts=80"), Enabled());
        Assert.Equal("3306", result.Annotation("traffic.sidecar.istio.io/excludeOutboundPorts"));
        Assert.Equal("80", result.Annotation("traffic.sidecar.istio.io/includeInboundPorts"));
    }

    [Fact]
    public void One_resource_annotation_discards_all_defaults()
    {
        var usual = Proxy(SidecarInjector.Inject(Pod(), Enabled()));
        var given = Proxy(SidecarInjector.Inject(Marked(Pod(), "@sidecar.istio.io/proxyCPU=50m"), Enabled()));
        Assert.NotNull(usual.Text("resources", "limits", "memory"));
        Assert.Equal("""{"requests":{"cpu":"50m"}}""", given["resources"]!.ToJsonString());
    }

    [Fact]
    public void A_status_port_of_zero_means_no_probe()
    {
        var proxy = Proxy(SidecarInjector.Inject(Marked(Pod(), "@status.sidecar.istio.io/port=0"), Enabled()));
        Assert.False(proxy.ContainsKey("readinessProbe") || proxy.ContainsKey("startupProbe"));
    }

    [Fact]
    public void Readiness_annotations_shape_the_probe()
    {
        var proxy = Proxy(SidecarInjector.Inject(
            Marked(Pod(), "@readiness.status.sidecar.istio.io/periodSeconds=9 @readiness.status.sidecar.istio.io/failureThreshold=bad"), Enabled()));
        Assert.Equal(9, proxy.Number("readinessProbe", "periodSeconds"));
        Assert.Equal(4, proxy.Number("readinessProbe", "failureThreshold"));
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData("defaultConfig: {proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true'}}", null, "http")]
    [InlineData("defaultConfig: {proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true'}}", "concurrency: 2", "http")]
    [InlineData("defaultConfig: {proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true'}}", "proxyMetadata: {OTHER: x}", "http")]
    [InlineData("defaultConfig: {proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true'}}", "proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'false'}", null)]
    [InlineData("defaultConfig: {proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'false'}}", "{\"proxyMetadata\": {\"ISTIO_META_ENABLE_HBONE\": \"true\"}}", "http")]
    [InlineData("trustDomain: a", "proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true'}", "http")]
    [InlineData("[", "proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true'}", "http")]
    public void A_pod_takes_tunnels_where_its_settings_or_the_meshs_say_so(string? mesh, string? own, string? label)
    {
        var pod = Pod();
        if (own is not null)
        {
            pod["metadata"]!["annotations"] = new JsonObject { ["proxy.istio.io/config"] = own };
        }

        Assert.Equal(label, SidecarInjector.Inject(pod, Enabled(), mesh).Label("networking.istio.io/tunnel"));
        pod["metadata"]!["labels"] = new JsonObject { ["networking.istio.io/tunnel"] = "none" };
        Assert.Equal("none", SidecarInjector.Inject(pod, Enabled(), mesh).Label("networking.istio.io/tunnel"));
    }

    [Fact]
    public void A_proxy_config_that_selects_comes_before_its_namespace_s_and_the_root_s_and_the_pod_before_all()
    {
        JsonObject Config(string ns, string name, string spec) => JsonNode.Parse(
            $$"""{"metadata":{"namespace":"{{ns}}","name":"{{name}}"},"spec":{{spec}}}""")!.AsObject();
        var pod = Marked(Pod(), "app=web @proxy.istio.io/config={'proxyMetadata':{'D':'pod'}}");
        var result = SidecarInjector.Inject(
            pod,
            Enabled(),
            "defaultConfig: {concurrency: 9, proxyMetadata: {A: mesh, B: mesh, C: mesh, D: mesh, E: mesh}}",
            [
                Config("shop", "own", """{"selector":{"matchLabels":{"app":"web"}},"environmentVariables":{"C":"own","D":"own"},"concurrency":3}"""),
                Config("shop", "other", """{"selector":{"matchLabels":{"app":"else"}},"environmentVariables":{"A":"wrong"}}"""),
                Config("shop", "all", """{"environmentVariables":{"B":"ns","C":"ns"},"concurrency":2}"""),
                Config("istio-system", "root", """{"environmentVariables":{"A":"root","B":"root"}}"""),
                Config("bank", "far", """{"environmentVariables":{"E":"wrong"}}"""),
            ]);
        Assert.Equal(
            """{"concurrency":3,"proxyMetadata":{"A":"root","B":"ns","C":"own","D":"pod","E":"mesh"}}""", result.Annotation("proxy.istio.io/config"));
        var variables = Proxy(result).Objects("env").ToDictionary(v => v.Text("name")!, v => v.Text("value") ?? "");
        Assert.Equal(result.Annotation("proxy.istio.io/config"), variables["PROXY_CONFIG"]);
        Assert.Equal("own", variables["C"]);
    }

    [Fact]
    public void The_meshs_settings_of_proxies_are_written_into_the_pod_under_its_own()
    {
        var pod = Pod();
        pod["metadata"]!["annotations"] = new JsonObject { ["proxy.istio.io/config"] = "proxyMetadata: {B: pod}\nconcurrency: 1" };
        var result = SidecarInjector.Inject(
            pod, Enabled(), "defaultConfig:\n  gatewayTopology: {numTrustedProxies: 2}\n  proxyMetadata: {A: mesh, B: mesh}\n  concurrency: 9");
        Assert.Equal(
            """{"gatewayTopology":{"numTrustedProxies":2},"proxyMetadata":{"A":"mesh","B":"pod"},"concurrency":1}""",
            result.Annotation("proxy.istio.io/config"));
    }

    [Fact]
    public void An_istio_proxy_container_customises_ours()
    {
        var pod = Pod();
        ((JsonArray)pod["spec"]!["containers"]!).Add(JsonNode.Parse(
            """{"name":"istio-proxy","image":"auto","resources":{"limits":{"cpu":"3"}},"env":[{"name":"A","value":"b"}]}"""));
        var result = SidecarInjector.Inject(pod, Enabled());
        Assert.Equal(["weft-proxy", "app"], Names(result));
        Assert.Equal("3", Proxy(result).Text("resources", "limits", "cpu"));
        Assert.Contains(Proxy(result).Objects("env"), variable => variable.Text("name") == "A");
    }

    [Fact]
    public void An_application_that_says_where_to_scrape_it_is_left_alone()
    {
        var result = SidecarInjector.Inject(Marked(Pod(), "@prometheus.io/scrape=true @prometheus.io/port=8080"), Enabled());
        Assert.Equal("8080", result.Annotation("prometheus.io/port"));
        Assert.Null(result.Annotation("prometheus.io/path"));
    }

    [Theory]
    [InlineData("ReplicaSet", "reviews-v1-5d8f7c9b4", "5d8f7c9b4", "reviews-v1")]
    [InlineData("ReplicaSet", "standalone", "5d8f7c9b4", "standalone")]
    [InlineData("StatefulSet", "db", "", "db")]
    [InlineData("Job", "report-28371234", "", "report")]
    [InlineData("Job", "once-7", "", "once-7")]
    public void A_workload_is_named_after_what_made_the_pod(string kind, string owner, string hash, string expected)
    {
        var pod = Pod();
        pod["metadata"]!["ownerReferences"] = new JsonArray(
            new JsonObject { ["kind"] = kind, ["name"] = owner, ["controller"] = true });
        pod["metadata"]!["labels"] = new JsonObject { ["pod-template-hash"] = hash };
        Assert.Equal(expected, WorkloadName.Of(pod));
    }

    [Fact]
    public void A_pod_without_owner_is_its_own_workload() => Assert.Equal("reviews", WorkloadName.Of(Pod()));

    [Fact]
    public void Templates_in_files_get_the_proxy_and_their_owners_name()
    {
        var deployment = JsonNode.Parse(
            """
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"ratings","namespace":"shop"},
             "spec":{"template":{"metadata":{"labels":{"x":"y"}},"spec":{"containers":[{"name":"app","image":"i"}]}}}}
            """)!.AsObject();
        var list = new JsonObject { ["kind"] = "List", ["items"] = new JsonArray(deployment.DeepClone(), new JsonObject { ["kind"] = "Service" }) };

        var result = SidecarInjector.InjectFile(list);

        var template = (JsonObject)result["items"]![0]!["spec"]!["template"]!;
        Assert.Equal(["weft-proxy", "app"], Names(template));
        Assert.Equal("ratings", template.Label("service.istio.io/canonical-name"));
        Assert.Null(template.Text("metadata", "namespace"));
        Assert.Equal("""{"kind":"Service"}""", result["items"]![1]!.ToJsonString());
    }

    [Fact]
    public void A_file_for_a_system_namespace_is_left_alone()
    {
        var pod = Pod();
        pod["metadata"]!["namespace"] = "kube-system";
        Assert.Equal(["app"], Names(SidecarInjector.InjectFile(pod)));
    }

    private static JsonObject Enabled() => Marked(Namespace("shop"), "istio-injection=enabled");

    private static JsonObject Proxy(JsonObject pod) => pod.Objects("spec", "containers").First();

    private static JsonObject Namespace(string name) => new() { ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } };

    private static JsonObject Pod() => JsonNode.Parse(
        """
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"reviews"},
         "spec":{"containers":[{"name":"app","image":"reviews:1"}]}}
        """)!.AsObject();

    private static JsonObject Marked(JsonObject item, string marks)
    {
        var metadata = (JsonObject)item["metadata"]!;
        foreach (var mark in marks.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var (field, text) = mark[0] == '@' ? ("annotations", mark[1..]) : ("labels", mark);
            var parts = text.Split('=');
            if (metadata[field] is not JsonObject map)
            {
                metadata[field] = map = [];
            }

            map[parts[0]] = parts[1];
        }

        return item;
    }

    private static IEnumerable<string> Names(JsonObject pod) =>
        pod.Objects("spec", "containers").Select(container => container.Text("name")!);
}
