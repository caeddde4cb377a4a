// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Transport sockets → TLS settings.</summary>
internal static class TlsDecoder
{
    private static readonly MessageParser<DownstreamTlsContext> _downstreams =
        DownstreamTlsContext.Parser.WithDiscardUnknownFields(true);

    private static readonly MessageParser<UpstreamTlsContext> _upstreams = UpstreamTlsContext.Parser.WithDiscardUnknownFields(true);

    public static DownstreamTlsPlan? Downstream(DecodeScope scope, TransportSocket socket)
    {
        var context = scope.Unpack(_downstreams, socket.TypedConfig, TypeUrls.DownstreamTls);
        if (context is null || Common(scope, context.CommonTlsContext) is not { } common)
        {
            return null;
        }

        var (validation, roots) = ValidationOf(scope, common);
        var mesh = IsMesh(common);
        CheckRoots(scope, mesh, roots);
        var certificates = mesh ? [] : Certificates(scope, common);
        if (!mesh && certificates.Count == 0)
        {
            scope.Error($"a listener needs a certificate: the workload's own is the secret \"{TlsEncoder.WorkloadSecret}\"");
        }

        if (context.RequireClientCertificate == true && validation is null)
        {
            scope.Error("require_client_certificate without a validation context would accept every certificate");
        }

        var (domains, names) = Names(scope, validation, mesh);
        return new DownstreamTlsPlan(
            context.RequireClientCertificate ?? false, domains.ToEquatableArray(), common.AlpnProtocols.ToEquatableArray())
        {
            Certificates = certificates,
            Clients = mesh && names.Count == 0 ? null : Clients(scope, validation, mesh ? "" : roots, names),
            Parameters = Parameters(scope, common.TlsParams),
        };
    }

    public static UpstreamTlsPlan? Upstream(DecodeScope scope, TransportSocket? socket, bool auto)
    {
        var context = scope.Unpack(_upstreams, socket?.TypedConfig, TypeUrls.UpstreamTls);
        if (context is null || Common(scope, context.CommonTlsContext) is not { } common)
        {
            return null;
        }

        var mesh = IsMesh(common);
        if (auto && !mesh)
        {
            scope.Error($"mutual TLS must use the workload's own certificate, secret \"{TlsEncoder.WorkloadSecret}\"");
        }

        if (common.TlsParams is not null)
        {
            scope.Warn("tls_params have no effect in a cluster: TLS 1.2 or newer is spoken");
        }

        var (found, roots) = ValidationOf(scope, common);
        CheckRoots(scope, mesh, roots);
        var validation = found ?? new CertificateValidationContext();
        if (validation.VerifyCertificateSpki.Count + validation.VerifyCertificateHash.Count > 0)
        {
            scope.Error("verify_certificate_spki and verify_certificate_hash are supported in listeners only");
        }

        return new UpstreamTlsPlan(
            mesh ? (auto ? UpstreamTlsMode.Auto : UpstreamTlsMode.Mutual) : UpstreamTlsMode.Simple,
            context.Sni,
            common.AlpnProtocols.ToEquatableArray(),
            validation.MatchTypedSubjectAltNames.Select(n => ExactName(scope, n)).ToEquatableArray(),
            File(scope, validation.TrustedCa, "trusted_ca"),
            validation.TrustChainVerification == CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted)
        {
            Certificate = mesh ? null : Certificates(scope, common) is [var own, ..] ? own : null,
            CaSecret = mesh ? "" : roots,
            CrlFile = File(scope, validation.Crl, "crl"),
        };
    }

    private static bool IsMesh(CommonTlsContext common) =>
        common.TlsCertificateSdsSecretConfigs.Count == 1 &&
        common.TlsCertificateSdsSecretConfigs[0].Name == TlsEncoder.WorkloadSecret;

    private static CommonTlsContext? Common(DecodeScope scope, CommonTlsContext? common)
    {
        if (common is null)
        {
            scope.Error("common_tls_context is missing");
        }

        return common;
    }

    /// <summary>The workload's roots go with the workload's certificate, and with no other.</summary>
    private static void CheckRoots(DecodeScope scope, bool mesh, string roots)
    {
        if (roots.Length > 0 && mesh != (roots == TlsEncoder.RootSecret))
        {
            scope.Error(mesh
                ? $"validation secret \"{roots}\" is not supported with the workload's own certificate, only \"{TlsEncoder.RootSecret}\" is"
                : $"validation secret \"{roots}\" goes with the workload's own certificate, secret \"{TlsEncoder.WorkloadSecret}\"");
        }
    }

    private static (CertificateValidationContext? Context, string Roots) ValidationOf(DecodeScope scope, CommonTlsContext common)
    {
        var combined = common.CombinedValidationContext;
        if (combined is { ValidationContextSdsSecretConfig.Name: null or "" })
        {
            scope.Error("validation_context_sds_secret_config has no name");
        }

        return combined is null
            ? (common.ValidationContext, "")
            : (combined.DefaultValidationContext ?? new CertificateValidationContext(), combined.ValidationContextSdsSecretConfig?.Name ?? "");
    }

    private static EquatableArray<CertificateSource> Certificates(DecodeScope scope, CommonTlsContext common)
    {
        var sources = new List<CertificateSource>();
        foreach (var secret in common.TlsCertificateSdsSecretConfigs)
        {
            if (secret.Name is "" or TlsEncoder.WorkloadSecret)
            {
                scope.Error($"secret \"{secret.Name}\" cannot be one of several certificates");
            }

            sources.Add(CertificateSource.Of(secret.Name));
        }

        foreach (var files in common.TlsCertificates)
        {
            sources.Add(new CertificateSource(
                "", File(scope, files.CertificateChain, "certificate_chain"), File(scope, files.PrivateKey, "private_key")));
        }

        return sources.ToEquatableArray();
    }

    /// <summary>In the mesh prefixes are trust domains; names are exact.</summary>
    private static (List<string> Domains, List<string> Names) Names(DecodeScope scope, CertificateValidationContext? validation, bool mesh)
    {
        var (domains, names) = (new List<string>(), new List<string>());
        foreach (var name in validation?.MatchTypedSubjectAltNames ?? [])
        {
            var prefix = name.Matcher?.Prefix ?? "";
            if (name.Matcher?.MatchPatternCase == StringMatcher.MatchPatternOneofCase.Exact)
            {
                names.Add(ExactName(scope, name));
            }
            else if (mesh && name.SanType == SubjectAltNameMatcher.Types.SanType.Uri &&
                prefix.StartsWith(TlsEncoder.SpiffeScheme, StringComparison.Ordinal) && prefix.EndsWith('/'))
            {
                domains.Add(prefix[TlsEncoder.SpiffeScheme.Length..^1]);
            }
            else
            {
                scope.Error("match_typed_subject_alt_names: only exact names, and in the mesh URI prefixes spiffe://DOMAIN/, are supported in a listener");
            }
        }

        return (domains, names);
    }

    private static ValidationPlan? Clients(DecodeScope scope, CertificateValidationContext? validation, string roots, List<string> names) =>
        validation is null ? null : new ValidationPlan(roots, File(scope, validation.TrustedCa, "trusted_ca"), File(scope, validation.Crl, "crl"))
        {
            SubjectAltNames = names.ToEquatableArray(),
            KeyPins = validation.VerifyCertificateSpki.ToEquatableArray(),
            CertificatePins = validation.VerifyCertificateHash.ToEquatableArray(),
        };

    private static TlsParametersPlan Parameters(DecodeScope scope, TlsParameters? parameters)
    {
        if (parameters is null)
        {
            return TlsParametersPlan.Default;
        }

        using var at = scope.At("tls_params");
        return new TlsParametersPlan(
            Version(scope, parameters.TlsMinimumProtocolVersion),
            Version(scope, parameters.TlsMaximumProtocolVersion),
            parameters.CipherSuites.ToEquatableArray());
    }

    private static TlsVersion Version(DecodeScope scope, TlsParameters.Types.TlsProtocol version)
    {
        if (Enum.IsDefined((TlsVersion)version))
        {
            return (TlsVersion)version;
        }

        scope.Error($"version {(int)version} of TLS is not known");
        return TlsVersion.Default;
    }

    private static string ExactName(DecodeScope scope, SubjectAltNameMatcher name)
    {
        if (name.Matcher?.MatchPatternCase == StringMatcher.MatchPatternOneofCase.Exact && !name.Matcher.IgnoreCase)
        {
            return name.Matcher.Exact;
        }

        scope.Error("match_typed_subject_alt_names: only exact names are supported here");
        return "";
    }

    private static string File(DecodeScope scope, DataSource? source, string field)
    {
        if (source is null || source.SpecifierCase == DataSource.SpecifierOneofCase.Filename)
        {
            return source?.Filename ?? "";
        }

        using var at = scope.At(field);
        scope.Error("only file names are supported");
        return "";
    }
}
