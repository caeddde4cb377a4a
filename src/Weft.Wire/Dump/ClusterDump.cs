// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>Clusters and endpoints as JSON.</summary>
internal static class ClusterDump
{
    public static void Write(Utf8JsonWriter json, ClusterPlan plan)
    {
        json.WriteString("name", plan.Name);
        json.WriteString("type", plan.Kind switch
        {
            ClusterKind.Eds => "EDS",
            ClusterKind.OriginalDestination => "ORIGINAL_DST",
            _ => "STATIC",
        });
        if (plan.Kind == ClusterKind.Eds)
        {
            json.WriteStartObject("eds_cluster_config");
            JsonParts.WriteAds(json, "eds_config");
            json.WriteString("service_name", plan.Name);
            json.WriteEndObject();
        }

        json.WriteString("connect_timeout", JsonParts.Duration(plan.ConnectTimeoutMs));
        json.WriteString("lb_policy", plan.Balancer switch
        {
            LoadBalancerKind.RoundRobin => "ROUND_ROBIN",
            LoadBalancerKind.Random => "RANDOM",
            LoadBalancerKind.Passthrough => "CLUSTER_PROVIDED",
            _ => "LEAST_REQUEST",
        });
        if (plan.Kind == ClusterKind.Static)
        {
            json.WriteStartObject("load_assignment");
            WriteAssignment(json, plan.Name, plan.StaticEndpoints);
            json.WriteEndObject();
        }

        WriteHttpOptions(json, plan);
        WriteTls(json, plan.Tls);
        WriteMetadata(json, plan);
    }

    public static void WriteAssignment(Utf8JsonWriter json, string cluster, EquatableArray<EndpointPlan> endpoints)
    {
        json.WriteString("cluster_name", cluster);
        json.WriteStartArray("endpoints");
        json.WriteStartObject();
        json.WriteStartArray("lb_endpoints");
        foreach (var endpoint in endpoints)
        {
            WriteEndpoint(json, endpoint);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteEndpoint(Utf8JsonWriter json, EndpointPlan endpoint)
    {
        json.WriteStartObject();
        json.WriteStartObject("endpoint");
        JsonParts.WriteAddress(json, endpoint.Address, endpoint.Port);
        json.WriteEndObject();
        json.WriteString("health_status", endpoint.Healthy ? "HEALTHY" : "UNHEALTHY");
        if (endpoint.Meshed || endpoint.Workload is not null)
        {
            json.WriteStartObject("metadata");
            json.WriteStartObject("filter_metadata");
            if (endpoint.Meshed)
            {
                json.WriteStartObject(Wrap.TransportMatchKey);
                json.WriteString(EndpointsEncoder.TlsModeKey, EndpointsEncoder.TlsModeIstio);
                json.WriteEndObject();
            }

            if (endpoint.Workload is { } w)
            {
                json.WriteStartObject(Wrap.IstioKey);
                json.WriteString(
                    EndpointsEncoder.WorkloadKey,
                    string.Join(';', w.Workload, w.Namespace, w.CanonicalService, w.CanonicalRevision, w.Cluster));
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteNumber("load_balancing_weight", endpoint.Weight);
        json.WriteEndObject();
    }

    private static void WriteHttpOptions(Utf8JsonWriter json, ClusterPlan plan)
    {
        json.WriteStartObject("typed_extension_protocol_options");
        json.WriteStartObject(ClusterEncoder.ProtocolOptionsKey);
        json.WriteString("@type", TypeUrls.HttpProtocolOptions);
        json.WriteStartObject("common_http_protocol_options");
        json.WriteString("idle_timeout", JsonParts.Duration(plan.IdleTimeoutMs));
        if (plan.MaxRequestsPerConnection > 0)
        {
            json.WriteNumber("max_requests_per_connection", plan.MaxRequestsPerConnection);
        }

        json.WriteEndObject();
        json.WriteStartObject("explicit_http_config");
        json.WriteStartObject("http_protocol_options");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteTls(Utf8JsonWriter json, UpstreamTlsPlan? tls)
    {
        if (tls is null)
        {
            return;
        }

        if (tls.Mode != UpstreamTlsMode.Auto)
        {
            TlsDump.WriteUpstream(json, tls);
            return;
        }

        json.WriteStartArray("transport_socket_matches");
        json.WriteStartObject();
        json.WriteString("name", ClusterEncoder.MeshedMatch);
        json.WriteStartObject("match");
        json.WriteString(EndpointsEncoder.TlsModeKey, EndpointsEncoder.TlsModeIstio);
        json.WriteEndObject();
        TlsDump.WriteUpstream(json, tls);
        json.WriteEndObject();
        json.WriteStartObject();
        json.WriteString("name", ClusterEncoder.PlainMatch);
        json.WriteStartObject("match");
        json.WriteEndObject();
        json.WriteStartObject("transport_socket");
        json.WriteString("name", "envoy.transport_sockets.raw_buffer");
        JsonParts.WriteTyped(json, TypeUrls.RawBuffer);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteMetadata(Utf8JsonWriter json, ClusterPlan plan)
    {
        var path = Wrap.IstioConfigPath(plan.Origin);
        if (path is null && plan.Service is null)
        {
            return;
        }

        json.WriteStartObject("metadata");
        json.WriteStartObject("filter_metadata");
        json.WriteStartObject(Wrap.IstioKey);
        if (path is not null)
        {
            json.WriteString("config", path);
        }

        if (plan.Service is { } service)
        {
            json.WriteStartArray("services");
            json.WriteStartObject();
            json.WriteString("host", service.Host);
            json.WriteString("name", service.Name);
            json.WriteString("namespace", service.Namespace);
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
