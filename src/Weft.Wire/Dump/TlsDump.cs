// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>TLS settings as JSON.</summary>
internal static class TlsDump
{
    public static void WriteUpstream(Utf8JsonWriter json, UpstreamTlsPlan tls)
    {
        Open(json, TypeUrls.UpstreamTls);
        json.WriteStartObject("common_tls_context");
        JsonParts.WriteTexts(json, "alpn_protocols", tls.AlpnProtocols);
        if (tls.Mode == UpstreamTlsMode.Simple)
        {
            json.WriteStartObject("validation_context");
            if (tls.CaCertificatesFile.Length > 0)
            {
                json.WriteStartObject("trusted_ca");
                json.WriteString("filename", tls.CaCertificatesFile);
                json.WriteEndObject();
            }
            else
            {
                json.WriteStartObject("system_root_certs");
                json.WriteEndObject();
            }

            if (tls.InsecureSkipVerify)
            {
                json.WriteString("trust_chain_verification", "ACCEPT_UNTRUSTED");
            }

            WriteNames(json, tls.SubjectAltNames, "DNS", "exact");
            json.WriteEndObject();
        }
        else
        {
            WriteMesh(json, tls.SubjectAltNames, "exact");
        }

        json.WriteEndObject();
        json.WriteString("sni", tls.Sni);
        Close(json);
    }

    public static void WriteDownstream(Utf8JsonWriter json, DownstreamTlsPlan tls)
    {
        Open(json, TypeUrls.DownstreamTls);
        json.WriteStartObject("common_tls_context");
        JsonParts.WriteTexts(json, "alpn_protocols", tls.AlpnProtocols);
        WriteMesh(json, tls.TrustDomains.Select(d => $"{TlsEncoder.SpiffeScheme}{d}/").ToEquatableArray(), "prefix");
        json.WriteEndObject();
        json.WriteBoolean("require_client_certificate", tls.RequireClientCertificate);
        Close(json);
    }

    private static void WriteMesh(Utf8JsonWriter json, EquatableArray<string> names, string match)
    {
        json.WriteStartArray("tls_certificate_sds_secret_configs");
        WriteSecret(json, null, TlsEncoder.WorkloadSecret);
        json.WriteEndArray();
        json.WriteStartObject("combined_validation_context");
        json.WriteStartObject("default_validation_context");
        WriteNames(json, names, "URI", match);
        json.WriteEndObject();
        WriteSecret(json, "validation_context_sds_secret_config", TlsEncoder.RootSecret);
        json.WriteEndObject();
    }

    private static void WriteSecret(Utf8JsonWriter json, string? property, string name)
    {
        if (property is not null)
        {
            json.WritePropertyName(property);
        }

        json.WriteStartObject();
        json.WriteString("name", name);
        JsonParts.WriteAds(json, "sds_config");
        json.WriteEndObject();
    }

    private static void WriteNames(Utf8JsonWriter json, EquatableArray<string> names, string type, string match)
    {
        if (names.Count == 0)
        {
            return;
        }

        json.WriteStartArray("match_typed_subject_alt_names");
        foreach (var name in names)
        {
            json.WriteStartObject();
            json.WriteString("san_type", name.Contains("://", StringComparison.Ordinal) ? "URI" : type);
            json.WriteStartObject("matcher");
            json.WriteString(match, name);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Open(Utf8JsonWriter json, string typeUrl)
    {
        json.WriteStartObject("transport_socket");
        json.WriteString("name", "envoy.transport_sockets.tls");
        json.WriteStartObject("typed_config");
        json.WriteString("@type", typeUrl);
    }

    private static void Close(Utf8JsonWriter json)
    {
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
