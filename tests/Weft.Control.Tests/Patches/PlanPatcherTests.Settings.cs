// SPDX-License-Identifier: Apache-2.0

using Weft.Control.Patches;
using Weft.Model.Plan;

namespace Weft.Control.Tests.Patches;

/// <summary>Settings of filters and connections, as people write them.</summary>
public sealed partial class PlanPatcherTests
{
    [Fact]
    public void Compression_body_limits_and_connection_settings_reach_the_chain()
    {
        var (plan, outcomes) = Patch("""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: settings, namespace: shop}
            spec:
              priority: 1
              configPatches:
              - applyTo: HTTP_FILTER
                match: {context: SIDECAR_INBOUND}
                patch:
                  operation: INSERT_FIRST
                  value:
                    name: envoy.filters.http.compressor
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.compressor.v3.Compressor
                      response_direction_config:
                        common_config: {min_content_length: 100, content_type: [text/html, application/json]}
                        disable_on_etag_header: true
                        remove_accept_encoding_header: true
                      compressor_library:
                        name: text_optimized
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip
                          memory_level: 9
                          compression_level: COMPRESSION_LEVEL_9
              - applyTo: HTTP_FILTER
                match: {context: SIDECAR_INBOUND}
                patch:
                  operation: INSERT_FIRST
                  value:
                    name: envoy.filters.http.buffer
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer, max_request_bytes: 4096}
              - applyTo: HTTP_ROUTE
                match: {context: SIDECAR_INBOUND}
                patch:
                  operation: MERGE
                  value:
                    typed_per_filter_config:
                      envoy.filters.http.buffer: {"@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute, buffer: {max_request_bytes: 77}}
              - applyTo: NETWORK_FILTER
                match: {context: SIDECAR_INBOUND, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}}
                patch:
                  operation: MERGE
                  value:
                    name: envoy.filters.network.http_connection_manager
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                      stream_idle_timeout: 7s
                      max_request_headers_kb: 32
                      common_http_protocol_options: {idle_timeout: 30s, max_connection_duration: 600s}
              - applyTo: CLUSTER
                match: {context: SIDECAR_OUTBOUND, cluster: {service: web.shop.svc.cluster.local}}
                patch: {operation: MERGE, value: {upstream_connection_options: {tcp_keepalive: {keepalive_time: 10, keepalive_interval: 5, keepalive_probes: 3}}}}
            """);
        Assert.All(outcomes, o => Assert.Equal((true, null, null), (o.Matched, o.Problem, o.Ignored)));
        var chain = plan.Listeners.Single(l => l.Name == "virtualInbound").Chains.First(c => c.Match.DestinationPort == 8080 && c.Http is not null).Http!;
        Assert.Equal(
            new CompressorPlan(ContentCoding.Gzip, 9, 100, ["text/html", "application/json"]) { SparesTagged = true, HidesAccepted = true },
            Assert.Single(chain.Compressors));
        var limits = chain.Limits;
        Assert.Equal((4096, 7_000, 32, 30_000, 600_000), (limits.MaxBodyBytes, limits.StreamIdleMs, limits.MaxHeadKilobytes, limits.IdleMs, limits.MaxConnectionMs));
        Assert.Equal(77, chain.InlineRoutes!.VirtualHosts[0].Routes[0].MaxBodyBytes);
        Assert.NotNull(plan.Clusters.Single(c => c.Name == "outbound|80||web.shop.svc.cluster.local").TcpKeepAlive);
    }

    [Fact]
    public void A_part_of_a_patch_that_has_no_effect_is_told_and_the_rest_is_in_force()
    {
        var (plan, outcomes) = Patch("""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: heads, namespace: shop}
            spec:
              configPatches:
              - applyTo: NETWORK_FILTER
                match: {context: SIDECAR_INBOUND, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}}
                patch:
                  operation: MERGE
                  value:
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                      max_request_headers_kb: 96
              - applyTo: LISTENER
                match: {context: SIDECAR_INBOUND}
                patch: {operation: MERGE, value: {per_connection_buffer_limit_bytes: 32768}}
            """);
        Assert.Contains("max_request_headers_kb 96 is more than 63", outcomes[0].Ignored, StringComparison.Ordinal);
        Assert.Contains("perConnectionBufferLimitBytes", outcomes[1].Problem!.Replace("_b", "B", StringComparison.Ordinal).Replace("_c", "C", StringComparison.Ordinal).Replace("_l", "L", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(63, plan.Listeners.Single(l => l.Name == "virtualInbound").Chains.First(c => c.Http is not null).Http!.Limits.MaxHeadKilobytes);
        var record = new PatchRecord();
        record.Note(outcomes);
        Assert.Equal(["WEFT4003", "WEFT4002"], record.Findings.Select(f => f.Id));
    }
}
