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
            WriteCertificates(json, tls.Certificate is { } own ? [own] : []);
            var validation = new ValidationPlan(tls.CaSecret, tls.CaCertificatesFile, tls.CrlFile) { SubjectAltNames = tls.SubjectAltNames };
            WriteValidation(json, validation, [], tls.InsecureSkipVerify, isServer: true);
        }
        else
        {
            WriteMesh(json, [], new ValidationPlan("", "", "") { SubjectAltNames = tls.SubjectAltNames });
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
        WriteParameters(json, tls.Parameters);
        if (tls.Certificates.Count == 0)
        {
            WriteMesh(json, tls.TrustDomains, tls.Clients ?? new ValidationPlan("", "", ""));
        }
        else
        {
            WriteCertificates(json, tls.Certificates);
            if (tls.Clients is { } clients)
            {
                WriteValidation(json, clients, [], skipsVerification: false, isServer: false);
            }
        }

        json.WriteEndObject();
        json.WriteBoolean("require_client_certificate", tls.RequireClientCertificate);
        Close(json);
    }

    private static void WriteMesh(Utf8JsonWriter json, EquatableArray<string> domains, ValidationPlan names)
    {
        WriteCertificates(json, [CertificateSource.Of(TlsEncoder.WorkloadSecret)]);
        WriteValidation(json, names with { Secret = TlsEncoder.RootSecret }, domains, skipsVerification: false, isServer: false);
    }

    private static void WriteParameters(Utf8JsonWriter json, TlsParametersPlan parameters)
    {
        if (parameters == TlsParametersPlan.Default)
        {
            return;
        }

        json.WriteStartObject("tls_params");
        json.WriteString("tls_minimum_protocol_version", Name(parameters.Min));
        json.WriteString("tls_maximum_protocol_version", Name(parameters.Max));
        JsonParts.WriteTexts(json, "cipher_suites", parameters.Ciphers);
        json.WriteEndObject();
    }

    private static string Name(TlsVersion version) => version switch
    {
        TlsVersion.Tls10 => "TLSv1_0",
        TlsVersion.Tls11 => "TLSv1_1",
        TlsVersion.Tls12 => "TLSv1_2",
        TlsVersion.Tls13 => "TLSv1_3",
        _ => "TLS_AUTO",
    };

    private static void WriteCertificates(Utf8JsonWriter json, EquatableArray<CertificateSource> certificates)
    {
        var secrets = certificates.Where(c => c.Secret.Length > 0).ToList();
        if (secrets.Count > 0)
        {
            json.WriteStartArray("tls_certificate_sds_secret_configs");
            foreach (var certificate in secrets)
            {
                WriteSecret(json, null, certificate.Secret);
            }

            json.WriteEndArray();
        }

        if (secrets.Count < certificates.Count)
        {
            json.WriteStartArray("tls_certificates");
            foreach (var certificate in certificates.Where(c => c.Secret.Length == 0))
            {
                json.WriteStartObject();
                WriteFile(json, "certificate_chain", certificate.ChainFile);
                WriteFile(json, "private_key", certificate.KeyFile);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    private static void WriteValidation(
        Utf8JsonWriter json, ValidationPlan plan, EquatableArray<string> domains, bool skipsVerification, bool isServer)
    {
        var combined = plan.Secret.Length > 0;
        if (combined)
        {
            json.WriteStartObject("combined_validation_context");
        }

        json.WriteStartObject(combined ? "default_validation_context" : "validation_context");
        if (plan.CaFile.Length > 0)
        {
            WriteFile(json, "trusted_ca", plan.CaFile);
        }
        else if (isServer && !combined)
        {
            json.WriteStartObject("system_root_certs");
            json.WriteEndObject();
        }

        if (plan.CrlFile.Length > 0)
        {
            WriteFile(json, "crl", plan.CrlFile);
        }

        if (skipsVerification)
        {
            json.WriteString("trust_chain_verification", "ACCEPT_UNTRUSTED");
        }

        JsonParts.WriteTexts(json, "verify_certificate_spki", plan.KeyPins);
        JsonParts.WriteTexts(json, "verify_certificate_hash", plan.CertificatePins);
        WriteNames(json, domains, plan.SubjectAltNames);
        json.WriteEndObject();
        if (combined)
        {
            WriteSecret(json, "validation_context_sds_secret_config", plan.Secret);
            json.WriteEndObject();
        }
    }

    private static void WriteFile(Utf8JsonWriter json, string property, string file)
    {
        json.WriteStartObject(property);
        json.WriteString("filename", file);
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

    private static void WriteNames(Utf8JsonWriter json, EquatableArray<string> domains, EquatableArray<string> names)
    {
        if (domains.Count + names.Count == 0)
        {
            return;
        }

        json.WriteStartArray("match_typed_subject_alt_names");
        foreach (var domain in domains)
        {
            WriteName(json, "URI", "prefix", $"{TlsEncoder.SpiffeScheme}{domain}/");
        }

        foreach (var name in names)
        {
            WriteName(json, name.Contains("://", StringComparison.Ordinal) ? "URI" : "DNS", "exact", name);
        }

        json.WriteEndArray();
    }

    private static void WriteName(Utf8JsonWriter json, string type, string match, string name)
    {
        json.WriteStartObject();
        json.WriteString("san_type", type);
        json.WriteStartObject("matcher");
        json.WriteString(match, name);
        json.WriteEndObject();
        json.WriteEndObject();
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
