// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Scenarios;

/// <summary>What the mesh says about itself is what its traffic does.</summary>
[Collection(RunningMesh.Name)]
public sealed class ReasonTests(TestMesh mesh)
{
    [Fact]
    public async Task Why_analyze_and_status_tell_what_requests_then_do()
    {
        const string Ns = "reasons";
        (await mesh.ApplyAsync(
            Manifests.Namespace(Ns) + Manifests.App(Ns, "my-app", "v1") + Manifests.App(Ns, "my-app", "v2")
            + Manifests.Service(Ns, "my-app") + Manifests.Client(Ns, "client") + Manifests.Subsets(Ns, "my-app")
            + $$"""
              ---
              apiVersion: networking.istio.io/v1
              kind: VirtualService
              metadata: {name: my-app, namespace: {{Ns}}}
              spec:
                hosts: [my-app]
                http:
                  - match: [{headers: {x-user: {exact: me} } }]
                    route: [{destination: {host: my-app, subset: v2} }]
                  - match: [{uri: {prefix: /gone} }]
                    route: [{destination: {host: nowhere} }]
                  - route: [{destination: {host: my-app, subset: v1} }]
              """)).Succeeded();
        await mesh.WaitForDeploymentsAsync(Ns);
        await Wait.UntilAsync("the object says that proxies run it", async () =>
        {
            var status = await mesh.KubectlAsync("get", "vs", "my-app", "-n", Ns, "-o", "jsonpath={.status.conditions[?(@.type=='Programmed')].status}");
            return (status.Output.Trim() == "True", status.ToString());
        });

        var why = JsonNode.Parse((await mesh.WeftAsync(["why", "deploy/client", "my-app", "GET", "/", "-H", "x-user: me", "-n", Ns, "-o", "json"])).Succeeded())!;
        Assert.Contains(why["reasons"]!.AsArray(), r => (string?)r!["step"] == "cluster" && ((string)r["fact"]!).Contains("|v2|", StringComparison.Ordinal));
        Assert.Contains(why["reasons"]!.AsArray(), r => (string?)r!["step"] == "route" && (string?)r["path"] == "spec.http[0]");
        var client = await mesh.PodAsync(Ns, "app=client");
        Assert.Contains("\"version\":\"v2\"", (await mesh.ExecAsync(Ns, client, "curl", "-s", "-H", "x-user: me", "http://my-app/")).Output, StringComparison.Ordinal);

        var gone = await mesh.WeftAsync(["why", "deploy/client", "my-app", "/gone", "-n", Ns]);
        Assert.Equal(3, gone.ExitCode);
        Assert.Contains("Answer: 503 (flag NC)", gone.Output, StringComparison.Ordinal);
        Assert.Equal("503", (await mesh.ExecAsync(Ns, client, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://my-app/gone")).Output.Trim());

        var analyzed = await mesh.WeftAsync(["analyze", "-n", Ns]);
        Assert.Equal(79, analyzed.ExitCode);
        Assert.Contains($"Error [IST0101] (VirtualService {Ns}/my-app)", analyzed.Output, StringComparison.Ordinal);
        var described = await mesh.KubectlAsync("describe", "vs", "my-app", "-n", Ns);
        Assert.Contains("ReferencedResourceNotFound", described.Output, StringComparison.Ordinal);
        Assert.Contains("IST0101", described.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_EnvoyFilter_limits_the_requests_of_a_server_and_one_that_cannot_be_run_says_so()
    {
        const string Ns = "limits";
        (await mesh.ApplyAsync(
            Manifests.Namespace(Ns) + Manifests.App(Ns, "my-app", "v1") + Manifests.Service(Ns, "my-app") + Manifests.Client(Ns, "client")
            + $$"""
              ---
              apiVersion: networking.istio.io/v1beta1
              kind: EnvoyFilter
              metadata: {name: rate-limit, namespace: {{Ns}}}
              spec:
                workloadSelector:
                  labels: {app: my-app}
                configPatches:
                - applyTo: HTTP_FILTER
                  match: {context: SIDECAR_INBOUND}
                  patch:
                    operation: INSERT_BEFORE
                    value:
                      name: envoy.filters.http.local_ratelimit
                      typed_config:
                        "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
                        stat_prefix: http_local_rate_limiter
                        token_bucket: {max_tokens: 5, tokens_per_fill: 5, fill_interval: 3600s}
                        filter_enabled: {runtime_key: local_rate_limit_enabled, default_value: {numerator: 100, denominator: HUNDRED} }
                        filter_enforced: {runtime_key: local_rate_limit_enforced, default_value: {numerator: 100, denominator: HUNDRED} }
                        response_headers_to_add:
                        - {append: false, header: {key: x-rate-limit-remaining, value: '%RATE_LIMIT_REMAINING%'} }
                - applyTo: HTTP_FILTER
                  match: {context: SIDECAR_INBOUND}
                  patch:
                    operation: INSERT_BEFORE
                    value: {name: lua, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua, inlineCode: "x"} }
              """)).Succeeded();
        await mesh.WaitForDeploymentsAsync(Ns);
        var client = await mesh.PodAsync(Ns, "app=client");
        await Wait.UntilAsync("the Lua filter is reported", async () =>
        {
            var status = await mesh.KubectlAsync("get", "envoyfilter", "rate-limit", "-n", Ns, "-o", "jsonpath={.status.validationMessages[*].message}");
            return (status.Output.Contains("does not run", StringComparison.Ordinal), status.ToString());
        });
        var answers = (await mesh.ExecAsync(Ns, client, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code} ", "http://my-app/?n=[1-6]")).Output;
        Assert.Equal("200 200 200 200 200 429", answers.Trim());
        var refused = (await mesh.ExecAsync(Ns, client, "curl", "-si", "http://my-app/")).Output;
        Assert.Contains("x-rate-limit-remaining: 0", refused, StringComparison.Ordinal);
        Assert.EndsWith("local_rate_limited", refused.TrimEnd(), StringComparison.Ordinal);
    }
}
