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
            ClusterKind.Dns => "STRICT_DNS",
            ClusterKind.DnsRoundRobin => "LOGICAL_DNS",
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
        json.WriteString("lb_policy", ClusterLimitsDump.PolicyName(plan.Balancer));
        ClusterLimitsDump.Write(json, plan);
        if (plan.Kind is ClusterKind.Dns or ClusterKind.DnsRoundRobin)
        {
            json.WriteString("dns_refresh_rate", JsonParts.Duration(plan.DnsRefreshMs));
            json.WriteBoolean("respect_dns_ttl", true);
        }

        if (plan.Kind is ClusterKind.Static or ClusterKind.Dns or ClusterKind.DnsRoundRobin)
        {
            json.WriteStartObject("load_assignment");
            WriteAssignment(json, plan.Name, plan.StaticEndpoints);
            json.WriteEndObject();
        }

        ClusterLimitsDump.WriteHttpOptions(json, plan);
        WriteTransport(json, plan);
        WriteMetadata(json, plan);
    }

    public static void WriteAssignment(Utf8JsonWriter json, string cluster, EquatableArray<EndpointPlan> endpoints)
    {
        json.WriteString("cluster_name", cluster);
        json.WriteStartArray("endpoints");
        EndpointPlan? previous = null;
        foreach (var endpoint in endpoints)
        {
            if (previous is null || !EndpointsEncoder.AreTogether(previous, endpoint))
            {
                CloseGroup(json, previous);
                OpenGroup(json, endpoint);
            }

            WriteEndpoint(json, endpoint);
            previous = endpoint;
        }

        CloseGroup(json, previous);
        json.WriteEndArray();
    }

    private static void OpenGroup(Utf8JsonWriter json, EndpointPlan first)
    {
        json.WriteStartObject();
        if (first.Locality.Length > 0)
        {
            var (region, zone, subzone) = Localities.Split(first.Locality);
            json.WriteStartObject("locality");
            json.WriteString("region", region);
            json.WriteString("zone", zone);
            json.WriteString("sub_zone", subzone);
            json.WriteEndObject();
        }

        if (first.LocalityWeight > 0)
        {
            json.WriteNumber("load_balancing_weight", first.LocalityWeight);
        }

        json.WriteNumber("priority", first.Priority);
        json.WriteStartArray("lb_endpoints");
    }

    private static void CloseGroup(Utf8JsonWriter json, EndpointPlan? last)
    {
        if (last is not null)
        {
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private static void WriteEndpoint(Utf8JsonWriter json, EndpointPlan endpoint)
    {
        json.WriteStartObject();
        json.WriteStartObject("endpoint");
        JsonParts.WriteAddress(json, endpoint.Address, endpoint.Port);
        json.WriteEndObject();
        json.WriteString("health_status", endpoint.Healthy ? "HEALTHY" : "UNHEALTHY");
        if (endpoint.Meshed || endpoint.Tunnel != EndpointTunnel.None || endpoint.Workload is not null)
        {
            json.WriteStartObject("metadata");
            json.WriteStartObject("filter_metadata");
            if (endpoint.Meshed || endpoint.Tunnel != EndpointTunnel.None)
            {
                json.WriteStartObject(Wrap.TransportMatchKey);
                if (endpoint.Meshed)
                {
                    json.WriteString(EndpointsEncoder.TlsModeKey, EndpointsEncoder.TlsModeIstio);
                }

                if (endpoint.Tunnel == EndpointTunnel.Hbone)
                {
                    json.WriteString(EndpointsEncoder.TunnelKey, EndpointsEncoder.TunnelHttp);
                }

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

    private static void WriteTransport(Utf8JsonWriter json, ClusterPlan plan)
    {
        if (plan.Tls is not { Mode: UpstreamTlsMode.Auto } auto)
        {
            if (plan.Tls is not null || plan.ProxyProtocol != ProxyProtocolVersion.None)
            {
                WriteSocket(json, plan.Tls, plan.ProxyProtocol);
            }

            return;
        }

        json.WriteStartArray("transport_socket_matches");
        json.WriteStartObject();
        json.WriteString("name", ClusterEncoder.MeshedMatch);
        json.WriteStartObject("match");
        json.WriteString(EndpointsEncoder.TlsModeKey, EndpointsEncoder.TlsModeIstio);
        json.WriteEndObject();
        WriteSocket(json, auto, plan.ProxyProtocol);
        json.WriteEndObject();
        json.WriteStartObject();
        json.WriteString("name", ClusterEncoder.PlainMatch);
        json.WriteStartObject("match");
        json.WriteEndObject();
        WriteSocket(json, null, plan.ProxyProtocol);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteSocket(Utf8JsonWriter json, UpstreamTlsPlan? tls, ProxyProtocolVersion version)
    {
        if (version != ProxyProtocolVersion.None)
        {
            json.WriteStartObject("transport_socket");
            json.WriteString("name", ClusterEncoder.ProxyProtocolSocket);
            json.WriteStartObject("typed_config");
            json.WriteString("@type", TypeUrls.UpstreamProxyProtocol);
            json.WriteStartObject("config");
            json.WriteString("version", version == ProxyProtocolVersion.V1 ? "V1" : "V2");
            json.WriteEndObject();
        }

        if (tls is not null)
        {
            TlsDump.WriteUpstream(json, tls);
        }
        else
        {
            json.WriteStartObject("transport_socket");
            json.WriteString("name", ClusterEncoder.PlainSocket);
            JsonParts.WriteTyped(json, TypeUrls.RawBuffer);
            json.WriteEndObject();
        }

        if (version != ProxyProtocolVersion.None)
        {
            json.WriteEndObject();
            json.WriteEndObject();
        }
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
