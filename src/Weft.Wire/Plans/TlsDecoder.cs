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
        if (context is null || Common(scope, context.CommonTlsContext, out var validation) is not { } common)
        {
            return null;
        }

        if (!IsMesh(common))
        {
            scope.Error($"a listener must use the workload's own certificate, secret \"{TlsEncoder.WorkloadSecret}\"");
        }

        var domains = new List<string>();
        foreach (var name in validation.MatchTypedSubjectAltNames)
        {
            var prefix = name.Matcher?.Prefix ?? "";
            if (name.SanType == SubjectAltNameMatcher.Types.SanType.Uri &&
                prefix.StartsWith(TlsEncoder.SpiffeScheme, StringComparison.Ordinal) && prefix.EndsWith('/'))
            {
                domains.Add(prefix[TlsEncoder.SpiffeScheme.Length..^1]);
            }
            else
            {
                scope.Error("match_typed_subject_alt_names: only URI prefixes spiffe://DOMAIN/ are supported in a listener");
            }
        }

        return new DownstreamTlsPlan(
            context.RequireClientCertificate ?? false, domains.ToEquatableArray(), common.AlpnProtocols.ToEquatableArray());
    }

    public static UpstreamTlsPlan? Upstream(DecodeScope scope, TransportSocket? socket, bool auto)
    {
        var context = scope.Unpack(_upstreams, socket?.TypedConfig, TypeUrls.UpstreamTls);
        if (context is null || Common(scope, context.CommonTlsContext, out var validation) is not { } common)
        {
            return null;
        }

        var mesh = IsMesh(common);
        if (auto && !mesh)
        {
            scope.Error($"mutual TLS must use the workload's own certificate, secret \"{TlsEncoder.WorkloadSecret}\"");
        }

        return new UpstreamTlsPlan(
            mesh ? (auto ? UpstreamTlsMode.Auto : UpstreamTlsMode.Mutual) : UpstreamTlsMode.Simple,
            context.Sni,
            common.AlpnProtocols.ToEquatableArray(),
            validation.MatchTypedSubjectAltNames.Select(n => ExactName(scope, n)).ToEquatableArray(),
            File(scope, validation.TrustedCa, "trusted_ca"),
            validation.TrustChainVerification == CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted);
    }

    private static bool IsMesh(CommonTlsContext common) =>
        common.TlsCertificateSdsSecretConfigs.Count == 1 &&
        common.TlsCertificateSdsSecretConfigs[0].Name == TlsEncoder.WorkloadSecret;

    private static CommonTlsContext? Common(
        DecodeScope scope, CommonTlsContext? common, out CertificateValidationContext validation)
    {
        validation = common?.ValidationContext ?? common?.CombinedValidationContext?.DefaultValidationContext ?? new();
        if (common is null)
        {
            scope.Error("common_tls_context is missing");
            return null;
        }

        foreach (var secret in common.TlsCertificateSdsSecretConfigs)
        {
            if (secret.Name != TlsEncoder.WorkloadSecret)
            {
                scope.Error($"secret \"{secret.Name}\" is not supported, only \"{TlsEncoder.WorkloadSecret}\" is");
            }
        }

        var roots = common.CombinedValidationContext?.ValidationContextSdsSecretConfig?.Name ?? TlsEncoder.RootSecret;
        if (roots != TlsEncoder.RootSecret)
        {
            scope.Error($"validation secret \"{roots}\" is not supported, only \"{TlsEncoder.RootSecret}\" is");
        }

        if (common.TlsParams is not null)
        {
            scope.Warn("tls_params have no effect: TLS 1.3 between meshed peers, 1.2 or newer elsewhere");
        }

        if (common.TlsCertificates.Count > 0)
        {
            scope.Error("tls_certificates: certificates of the operator's own are not supported");
        }

        return common;
    }

    private static string ExactName(DecodeScope scope, SubjectAltNameMatcher name)
    {
        if (name.Matcher?.MatchPatternCase == StringMatcher.MatchPatternOneofCase.Exact && !name.Matcher.IgnoreCase)
        {
            return name.Matcher.Exact;
        }

        scope.Error("match_typed_subject_alt_names: only exact names are supported in a cluster");
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
