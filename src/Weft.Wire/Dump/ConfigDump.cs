// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text.Json;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>
/// A plan as JSON in the shape of Envoy's <c>/config_dump</c>, which the field's tools read. Written by hand: works ahead of time.
/// Private keys are never part of it.
/// </summary>
public static class ConfigDump
{
    internal const string Prefix = "type.googleapis.com/envoy.admin.v3.";

    /// <summary>UTF-8 JSON, indented.</summary>
    public static byte[] Write(ProxyPlan plan, DumpFacts facts)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("configs");
            WriteBootstrap(json, facts);
            WriteClusters(json, plan, facts);
            WriteListeners(json, plan, facts);
            WriteRoutes(json, plan, facts);
            WriteSecrets(json, plan, facts);
            WriteEndpoints(json, plan, facts);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteBootstrap(Utf8JsonWriter json, DumpFacts facts)
    {
        Open(json, "BootstrapConfigDump");
        json.WriteStartObject("bootstrap");
        json.WriteStartObject("node");
        json.WriteString("id", facts.NodeId);
        json.WriteString("cluster", facts.NodeCluster);
        json.WriteStartObject("metadata");
        foreach (var (key, value) in facts.NodeMetadata)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
        json.WriteString("user_agent_name", "weft-proxy");
        json.WriteString("user_agent_version", facts.ProxyVersion);
        json.WriteEndObject();
        json.WriteEndObject();
        Close(json, facts);
    }

    private static void WriteClusters(Utf8JsonWriter json, ProxyPlan plan, DumpFacts facts)
    {
        Open(json, "ClustersConfigDump");
        json.WriteStartArray("dynamic_active_clusters");
        foreach (var cluster in plan.Clusters)
        {
            OpenResource(json, TypeUrls.Cluster, cluster.Name, facts);
            json.WriteStartObject("cluster");
            json.WriteString("@type", TypeUrls.Cluster);
            ClusterDump.Write(json, cluster);
            json.WriteEndObject();
            Close(json, facts);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteListeners(Utf8JsonWriter json, ProxyPlan plan, DumpFacts facts)
    {
        Open(json, "ListenersConfigDump");
        json.WriteStartArray("dynamic_listeners");
        foreach (var listener in plan.Listeners)
        {
            json.WriteStartObject();
            json.WriteString("name", listener.Name);
            json.WritePropertyName("active_state");
            OpenResource(json, TypeUrls.Listener, listener.Name, facts);
            json.WriteStartObject("listener");
            json.WriteString("@type", TypeUrls.Listener);
            ListenerDump.Write(json, listener);
            json.WriteEndObject();
            Close(json, facts);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteRoutes(Utf8JsonWriter json, ProxyPlan plan, DumpFacts facts)
    {
        Open(json, "RoutesConfigDump");
        json.WriteStartArray("dynamic_route_configs");
        foreach (var table in plan.RouteTables)
        {
            OpenResource(json, TypeUrls.RouteTable, table.Name, facts);
            WriteTable(json, table);
            Close(json, facts);
        }

        json.WriteEndArray();
        json.WriteStartArray("static_route_configs");
        var chains = plan.Listeners.SelectMany(l => l.DefaultChain is { } last ? l.Chains.Append(last) : l.Chains);
        foreach (var table in chains.Select(c => c.Http?.InlineRoutes).OfType<RouteTablePlan>().Distinct())
        {
            json.WriteStartObject();
            WriteTable(json, table);
            Close(json, facts);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTable(Utf8JsonWriter json, RouteTablePlan table)
    {
        json.WriteStartObject("route_config");
        json.WriteString("@type", TypeUrls.RouteTable);
        RouteDump.Write(json, table);
        json.WriteEndObject();
    }

    private static void WriteSecrets(Utf8JsonWriter json, ProxyPlan plan, DumpFacts facts)
    {
        Open(json, "SecretsConfigDump");
        json.WriteStartArray("dynamic_active_secrets");
        if (facts.ChainPem is { } chain)
        {
            WriteSecret(json, TlsEncoder.WorkloadSecret, "tls_certificate", "certificate_chain", chain, facts);
        }

        if (facts.RootsPem is { } roots)
        {
            WriteSecret(json, TlsEncoder.RootSecret, "validation_context", "trusted_ca", roots, facts);
        }

        foreach (var secret in plan.Secrets)
        {
            var isRoots = secret.KeyPem.Length == 0;
            WriteSecret(
                json,
                secret.Name,
                isRoots ? "validation_context" : "tls_certificate",
                isRoots ? "trusted_ca" : "certificate_chain",
                isRoots ? secret.RootsPem : secret.ChainPem,
                facts);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteSecret(Utf8JsonWriter json, string name, string kind, string field, string pem, DumpFacts facts)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("version_info", facts.VersionOf(TypeUrls.Secret, name) ?? "");
        json.WriteStartObject("secret");
        json.WriteString("@type", TypeUrls.Secret);
        json.WriteString("name", name);
        json.WriteStartObject(kind);
        json.WriteStartObject(field);
        json.WriteBase64String("inline_bytes", System.Text.Encoding.UTF8.GetBytes(pem));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        Close(json, facts);
    }

    private static void WriteEndpoints(Utf8JsonWriter json, ProxyPlan plan, DumpFacts facts)
    {
        Open(json, "EndpointsConfigDump");
        json.WriteStartArray("dynamic_endpoint_configs");
        foreach (var endpoints in plan.Endpoints)
        {
            OpenResource(json, TypeUrls.Endpoints, endpoints.Cluster, facts);
            json.WriteStartObject("endpoint_config");
            json.WriteString("@type", TypeUrls.Endpoints);
            ClusterDump.WriteAssignment(json, endpoints.Cluster, endpoints.Endpoints);
            json.WriteEndObject();
            Close(json, facts);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Open(Utf8JsonWriter json, string type)
    {
        json.WriteStartObject();
        json.WriteString("@type", Prefix + type);
    }

    private static void OpenResource(Utf8JsonWriter json, string typeUrl, string name, DumpFacts facts)
    {
        json.WriteStartObject();
        json.WriteString("version_info", facts.VersionOf(typeUrl, name) ?? "");
    }

    private static void Close(Utf8JsonWriter json, DumpFacts facts)
    {
        json.WriteString("last_updated", facts.UpdatedAt.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }
}
