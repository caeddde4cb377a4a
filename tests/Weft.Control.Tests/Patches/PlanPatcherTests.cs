// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler;
using Weft.Control.Patches;
using Weft.Control.Sources;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Weft.Wire.Plans;

namespace Weft.Control.Tests.Patches;

/// <summary>From an EnvoyFilter as people write it to what the proxy decodes.</summary>
public sealed partial class PlanPatcherTests
{
    private const string Mesh = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}}
        spec: {containers: [{name: web, image: web}]}
        status: {podIP: 10.0.0.9}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {clusterIP: 10.96.0.2, ports: [{name: http, port: 80, targetPort: 8080}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: web-x, namespace: shop, labels: {kubernetes.io/service-name: web}}
        addressType: IPv4
        ports: [{name: http, port: 8080}]
        endpoints: [{addresses: [10.0.0.9], targetRef: {kind: Pod, name: web}}]
        ---

        """;

    private const string Limit =
        "stat_prefix: http_local_rate_limiter, token_bucket: {max_tokens: 100, tokens_per_fill: 100, fill_interval: 60s}, "
        + "filter_enabled: {runtime_key: local_rate_limit_enabled, default_value: {numerator: 100, denominator: HUNDRED}}, "
        + "filter_enforced: {runtime_key: local_rate_limit_enforced, default_value: {numerator: 100, denominator: HUNDRED}}, "
        + "response_headers_to_add: [{append: false, header: {key: x-rate-limit-remaining, value: '%RATE_LIMIT_REMAINING%'}}]";

    private const string LimitType = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";

    [Theory]
    [InlineData("v1alpha3", "{\"@type\": " + LimitType + ", " + Limit + "}")]
    [InlineData("v1beta1", "{\"@type\": type.googleapis.com/udpa.type.v1.TypedStruct, type_url: " + LimitType + ", value: {" + Limit + "}}")]
    public void Both_spellings_of_a_local_rate_limit_reach_every_http_chain_of_the_server(string version, string config)
    {
        var (plan, outcomes) = Patch($$$"""
            apiVersion: networking.istio.io/{{{version}}}
            kind: EnvoyFilter
            metadata: {name: limit, namespace: istio-system}
            spec:
              workloadSelector: {labels: {app: web}}
              configPatches:
              - applyTo: HTTP_FILTER
                match: {context: SIDECAR_INBOUND, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager} } } }
                patch:
                  operation: INSERT_BEFORE
                  value:
                    name: envoy.filters.http.local_ratelimit
                    typed_config: {{{config}}}
            """);
        Assert.Equal([(true, (string?)null)], outcomes.Select(o => (o.Matched, o.Problem)));
        var inbound = plan.Listeners.Single(l => l.Name == "virtualInbound").Chains.Where(c => c.Http is not null).ToList();
        Assert.NotEmpty(inbound);
        Assert.All(inbound, chain => Assert.Equal(
            new RateLimitPlan("http_local_rate_limiter", new TokenBucketPlan(100, 100, 60_000), 1_000_000, 1_000_000, 429, [new HeaderPlan("x-rate-limit-remaining", "0")]),
            chain.Http!.RateLimit));
        Assert.All(plan.Listeners.Where(l => l.Direction == TrafficDirection.Outbound).SelectMany(l => l.Chains), c => Assert.Null(c.Http?.RateLimit));
    }

    [Fact]
    public void Clusters_virtual_hosts_and_routes_are_merged_and_removed_as_they_are_matched()
    {
        var (plan, outcomes) = Patch("""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: mixed, namespace: shop}
            spec:
              priority: 5
              configPatches:
              - applyTo: CLUSTER
                match: {context: SIDECAR_OUTBOUND, cluster: {service: web.shop.svc.cluster.local, portNumber: 80}}
                patch: {operation: MERGE, value: {connect_timeout: 3s}}
              - applyTo: HTTP_ROUTE
                match: {context: SIDECAR_OUTBOUND, routeConfiguration: {portNumber: 80, vhost: {name: "web.shop.svc.cluster.local:80"}}}
                patch: {operation: MERGE, value: {request_headers_to_add: [{header: {key: x-patched, value: "yes"}}], route: {timeout: 7s}}}
              - applyTo: VIRTUAL_HOST
                match: {context: SIDECAR_INBOUND, routeConfiguration: {portNumber: 8080}}
                patch:
                  operation: MERGE
                  value:
                    typed_per_filter_config:
                      envoy.filters.http.local_ratelimit:
                        "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
                        stat_prefix: routes
                        token_bucket: {max_tokens: 5, fill_interval: 1s}
                        filter_enabled: {default_value: {numerator: 1, denominator: HUNDRED}}
              - applyTo: CLUSTER
                match: {cluster: {name: PassthroughCluster}}
                patch: {operation: REMOVE}
            """);
        Assert.All(outcomes, o => Assert.Equal((true, null), (o.Matched, o.Problem)));
        Assert.Equal(3_000, plan.Clusters.Single(c => c.Name == "outbound|80||web.shop.svc.cluster.local").ConnectTimeoutMs);
        Assert.DoesNotContain(plan.Clusters, c => c.Name == "PassthroughCluster");
        var route = plan.RouteTables.Single(t => t.Name == "80").VirtualHosts.Single(h => h.Name == "web.shop.svc.cluster.local:80").Routes[0];
        Assert.Equal((7_000, "x-patched"), (route.Forward!.TimeoutMs, Assert.Single(route.RequestHeaders.Add).Name));
        var served = plan.Listeners.Single(l => l.Name == "virtualInbound").Chains.First(c => c.Match.DestinationPort == 8080 && c.Http is not null);
        Assert.Equal(("routes", 10_000), (served.Http!.InlineRoutes!.VirtualHosts[0].Routes[0].RateLimit!.Name, served.Http.InlineRoutes.VirtualHosts[0].Routes[0].RateLimit!.EnabledPpm));
    }

    [Theory]
    [InlineData("HTTP_FILTER", "{name: lua, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua, inlineCode: x}}", "envoy.extensions.filters.http.lua.v3.Lua")]
    [InlineData("HTTP_FILTER", "{name: x, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: a, max_dynamic_descriptors: 3}}", "max_dynamic_descriptors")]
    [InlineData("HTTP_FILTER", "{name: x, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: a, token_bucket: {max_tokens: 1, fill_interval: 0.001s}}}", "fill_interval must be at least 50 ms")]
    [InlineData("NETWORK_FILTER", "{name: x}", "exactly one network filter")]
    public void What_the_proxy_would_refuse_is_left_out_with_its_reason_and_the_rest_stays(string target, string value, string reason)
    {
        var (plan, outcomes) = Patch($$$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: bad, namespace: shop}
            spec:
              configPatches:
              - applyTo: {{{target}}}
                patch: {operation: INSERT_FIRST, value: {{{value}}} }
              - applyTo: CLUSTER
                match: {cluster: {name: nobody}}
                patch: {operation: REMOVE}
            """);
        Assert.Contains(reason, outcomes[0].Problem, StringComparison.Ordinal);
        Assert.False(outcomes[1].Matched);
        Assert.Equal(Compile("").Plan, plan);
        var record = new PatchRecord();
        record.Note(outcomes);
        Assert.Equal(["WEFT4002", "WEFT4001"], record.Findings.Select(f => f.Id));
    }

    [Theory]
    [InlineData("{applicationProtocols: 'istio-http/1.1,istio'}", false)]
    [InlineData("{destinationPort: 8080}", true)]
    [InlineData("{destinationPort: 8081}", false)]
    [InlineData("{transportProtocol: tls, destinationPort: 8080}", true)]
    public void A_chain_is_matched_by_everything_that_is_asked_of_it(string chain, bool matches)
    {
        var (_, outcomes) = Patch($$$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: chains, namespace: shop}
            spec:
              configPatches:
              - applyTo: FILTER_CHAIN
                match: {context: SIDECAR_INBOUND, listener: {name: virtualInbound, filterChain: {{{chain}}} } }
                patch: {operation: MERGE, value: {transport_socket_connect_timeout: 5s} }
            """);
        Assert.Equal(matches, outcomes.Single().Matched);
    }

    [Theory]
    [InlineData("ROUTE", true)]
    [InlineData("ANY", true)]
    [InlineData("REDIRECT", false)]
    [InlineData("DIRECT_RESPONSE", false)]
    public void A_route_is_matched_by_what_it_does(string action, bool matches)
    {
        var (plan, outcomes) = Patch($$$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: actions, namespace: shop}
            spec:
              configPatches:
              - applyTo: HTTP_ROUTE
                match: {context: SIDECAR_OUTBOUND, routeConfiguration: {name: "80", vhost: {name: "web.shop.svc.cluster.local:80", route: {action: {{{action}}} } } } }
                patch: {operation: MERGE, value: {route: {timeout: 7s} } }
            """);
        Assert.Equal((matches, null), (outcomes.Single().Matched, outcomes.Single().Problem));
        var route = plan.RouteTables.Single(t => t.Name == "80").VirtualHosts.Single(h => h.Name == "web.shop.svc.cluster.local:80").Routes[0];
        Assert.Equal(matches, route.Forward!.TimeoutMs == 7_000);
    }

    [Fact]
    public void A_listener_filter_is_removed_by_its_name()
    {
        var (plan, outcomes) = Patch("""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: blind, namespace: shop}
            spec:
              configPatches:
              - applyTo: LISTENER_FILTER
                match: {context: SIDECAR_INBOUND, listener: {name: virtualInbound, listenerFilter: envoy.filters.listener.http_inspector}}
                patch: {operation: REMOVE}
              - applyTo: LISTENER_FILTER
                match: {context: SIDECAR_INBOUND, listener: {listenerFilter: nobody}}
                patch: {operation: REMOVE}
            """);
        Assert.Equal([true, false], outcomes.Select(o => o.Matched));
        Assert.False(plan.Listeners.Single(l => l.Name == "virtualInbound").InspectHttp);
        Assert.True(Compile("").Plan.Listeners.Single(l => l.Name == "virtualInbound").InspectHttp);
    }

    [Theory]
    [InlineData("https.443.https-shop.front.shop", "{gateway: shop/front}", true)]
    [InlineData("https.443.https-shop.front.shop", "{gateway: shop/front, portName: https-shop, portNumber: 443}", true)]
    [InlineData("https.443.https.shop.front.shop", "{portName: https.shop}", true)]
    [InlineData("https.443.https-shop.front.shop", "{gateway: other/front}", false)]
    [InlineData("https.443.https-shop.front.shop", "{portNumber: 8443}", false)]
    [InlineData("http.8080", "{portNumber: 8080}", true)]
    [InlineData("http.8080", "{gateway: shop/front}", false)]
    public void A_gateway_s_table_is_matched_by_what_its_name_says(string name, string conditions, bool matches)
    {
        var filter = Dialects.Dialects.Parse("mesh.yaml", $$$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: tables, namespace: shop}
            spec:
              configPatches:
              - applyTo: VIRTUAL_HOST
                match: {context: GATEWAY, routeConfiguration: {{{conditions}}} }
                patch: {operation: ADD, value: {name: more, domains: [more.example]} }
            """).Objects.Single();
        Assert.Empty(filter.Diagnostics);
        var table = new Envoy.Config.Route.V3.RouteConfiguration { Name = name };
        Assert.Equal(matches, RoutePatch.Apply(table, ((PatchIntent)filter.Intent!).Patches[0]));
        Assert.Equal(matches ? 1 : 0, table.VirtualHosts.Count);
    }

    [Fact]
    public void A_patch_for_proxies_that_say_something_of_themselves_is_for_no_other()
    {
        var (_, snapshot, client) = Compile("""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: versions, namespace: shop}
            spec:
              configPatches:
              - applyTo: CLUSTER
                match: {proxy: {metadata: {TIER: front}, proxyVersion: '^1\.2.*'}}
                patch: {operation: MERGE, value: {connect_timeout: 3s}}
            """);
        var patches = snapshot.PatchesFor(client);
        var front = Wrapped("TIER", "front");
        Assert.Single(PatchRecord.ForProxy(patches, "1.24.1", front));
        Assert.Empty(PatchRecord.ForProxy(patches, "1.30.0", front));
        Assert.Empty(PatchRecord.ForProxy(patches, "1.24.1", Wrapped("TIER", "back")));
        Assert.Empty(PatchRecord.ForProxy(patches, "1.24.1", null));
    }

    [Fact]
    public void A_limit_that_a_service_keeps_is_written_as_Istio_documents_it()
    {
        var (plan, outcomes) = Patch("""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: filter-ratelimit, namespace: istio-system}
            spec:
              workloadSelector: {labels: {app: web}}
              configPatches:
              - applyTo: HTTP_FILTER
                match:
                  context: SIDECAR_INBOUND
                  listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.router}}}}
                patch:
                  operation: INSERT_BEFORE
                  value:
                    name: envoy.filters.http.ratelimit
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
                      domain: ratelimit
                      failure_mode_deny: true
                      timeout: 10s
                      enable_x_ratelimit_headers: DRAFT_VERSION_03
                      rate_limit_service:
                        grpc_service:
                          envoy_grpc: {cluster_name: rate_limit_cluster, authority: ratelimit.default.svc.cluster.local}
                        transport_api_version: V3
              - applyTo: CLUSTER
                match: {cluster: {service: ratelimit.default.svc.cluster.local}}
                patch:
                  operation: ADD
                  value:
                    name: rate_limit_cluster
                    type: STRICT_DNS
                    connect_timeout: 10s
                    lb_policy: ROUND_ROBIN
                    http2_protocol_options: {}
                    load_assignment:
                      cluster_name: rate_limit_cluster
                      endpoints:
                      - lb_endpoints: [{endpoint: {address: {socket_address: {address: ratelimit.default.svc.cluster.local, port_value: 8081}}}}]
              - applyTo: VIRTUAL_HOST
                match: {context: SIDECAR_INBOUND, routeConfiguration: {vhost: {name: "", route: {action: ANY}}}}
                patch:
                  operation: MERGE
                  value:
                    rate_limits:
                    - actions:
                      - request_headers: {header_name: ":path", descriptor_key: PATH}
                      - remote_address: {}
            """);
        Assert.All(outcomes, o => Assert.Equal((true, null), (o.Matched, o.Problem)));
        var chain = plan.Listeners.Single(l => l.Name == "virtualInbound").Chains.First(c => c.Match.DestinationPort == 8080 && c.Http is not null).Http!;
        var limit = Assert.Single(chain.GlobalLimits);
        Assert.Equal(("ratelimit", "rate_limit_cluster", 10_000, true, true), (limit.Domain, limit.Cluster, limit.TimeoutMs, limit.DeniesOnFailure, limit.ShowsHeaders));
        Assert.Equal(
            [new RateActionPlan(RateActionKind.RequestHeader, "PATH", ":path"), new RateActionPlan(RateActionKind.RemoteAddress, "remote_address", "")],
            Assert.Single(chain.InlineRoutes!.VirtualHosts[0].Routes[0].Forward!.RateDescriptors).Actions);
        Assert.Equal((ClusterKind.Dns, UpstreamProtocol.Http2), plan.Clusters.Where(c => c.Name == "rate_limit_cluster").Select(c => (c.Kind, c.Protocol)).Single());
    }

    [Theory]
    [InlineData("OVERRIDE", true, "own")]
    [InlineData("OVERRIDE", false, "host")]
    [InlineData("INCLUDE", true, "own host")]
    [InlineData("IGNORE", false, "")]
    public void A_route_says_what_holds_of_its_virtual_host(string rule, bool hasOwn, string expected)
    {
        var own = hasOwn ? "rate_limits: [{actions: [{generic_key: {descriptor_value: own} }]}]" : "timeout: 3s";
        var (plan, outcomes) = Patch($$$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: hosts, namespace: shop}
            spec:
              configPatches:
              - applyTo: VIRTUAL_HOST
                match: {context: SIDECAR_INBOUND}
                patch: {operation: MERGE, value: {rate_limits: [{actions: [{generic_key: {descriptor_value: host} }]}]} }
              - applyTo: HTTP_ROUTE
                match: {context: SIDECAR_INBOUND}
                patch:
                  operation: MERGE
                  value:
                    route: { {{{own}}} }
                    typed_per_filter_config:
                      envoy.filters.http.ratelimit:
                        "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute
                        vh_rate_limits: {{{rule}}}
            """);
        Assert.All(outcomes, o => Assert.Equal((true, null), (o.Matched, o.Problem)));
        var forward = plan.Listeners.Single(l => l.Name == "virtualInbound").Chains.First(c => c.Http is not null).Http!.InlineRoutes!.VirtualHosts[0].Routes[0].Forward!;
        Assert.Equal(expected, string.Join(' ', forward.RateDescriptors.SelectMany(d => d.Actions).Select(a => a.Value)));
    }

    [Theory]
    [InlineData("envoy.extensions.filters.http.lua.v3.Lua", "inlineCode: x")]
    [InlineData("envoy.extensions.filters.http.wasm.v3.Wasm", "config: {}")]
    [InlineData("envoy.extensions.filters.http.grpc_stats.v3.FilterConfig", "emit_filter_state: true")]
    [InlineData("envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder", "services: [a]")]
    [InlineData("envoy.extensions.filters.http.ext_authz.v3.ExtAuthz", "failure_mode_allow: true")]
    public void A_filter_that_the_proxy_does_not_have_is_left_out_by_name(string type, string config)
    {
        var (plan, outcomes) = Patch($$$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: foreign, namespace: shop}
            spec:
              configPatches:
              - applyTo: HTTP_FILTER
                patch: {operation: INSERT_FIRST, value: {name: x, typed_config: {"@type": type.googleapis.com/{{{type}}}, {{{config}}} } } }
            """);
        Assert.Contains(type, Assert.Single(outcomes).Problem, StringComparison.Ordinal);
        Assert.Equal(Compile("").Plan, plan);
    }

    [Theory]
    [InlineData("metadata: {descriptor_key: a}", "metadata")]
    [InlineData("dynamic_metadata: {descriptor_key: a}", "dynamic")]
    [InlineData("generic_key: {}", "descriptor_value is missing")]
    [InlineData("request_headers: {header_name: x}", "descriptor_key")]
    [InlineData("masked_remote_address: {v4_prefix_mask_len: 33}", "a mask of 33 bits")]
    public void An_action_that_cannot_describe_a_request_is_refused(string action, string reason)
    {
        var (_, outcomes) = Patch($$$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: actions, namespace: shop}
            spec:
              configPatches:
              - applyTo: VIRTUAL_HOST
                match: {context: SIDECAR_INBOUND}
                patch: {operation: MERGE, value: {rate_limits: [{actions: [{ {{{action}}} }]}]} }
            """);
        Assert.Contains(reason, Assert.Single(outcomes).Problem, StringComparison.OrdinalIgnoreCase);
    }

    private static Google.Protobuf.WellKnownTypes.Struct Wrapped(string key, string value) =>
        new() { Fields = { [key] = Google.Protobuf.WellKnownTypes.Value.ForString(value) } };

    private static (ProxyPlan Plan, IReadOnlyList<PatchOutcome> Outcomes) Patch(string filter)
    {
        var (plan, snapshot, client) = Compile(filter);
        var (patched, outcomes) = new PlanPatcher().Apply(new PlanEncoder().Encode(plan), snapshot.PatchesFor(client), false);
        var decoded = PlanDecoder.Decode(patched.All);
        Assert.Empty(decoded.Errors);
        return (decoded.Plan!, outcomes);
    }

    private static (ProxyPlan Plan, MeshSnapshot Snapshot, Workload Client) Compile(string filter)
    {
        var state = new MeshState(MeshSettings.Default);
        foreach (var item in Dialects.Dialects.Parse("mesh.yaml", Mesh + filter).Objects)
        {
            Assert.True(item.IsValid, string.Join('\n', item.Diagnostics));
            state.Apply(new ObjectKey("", item.Origin.Kind, item.Origin.Namespace, item.Origin.Name), item);
        }

        var snapshot = state.Snapshot();
        var client = state.Registry.FindWorkload("shop", "web")!;
        return (PlanCompiler.Compile(snapshot, client).Plan, snapshot, client);
    }
}
