// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>TLS settings → transport sockets. The workload's certificate and roots are named as Istio does: <c>default</c>, <c>ROOTCA</c>.</summary>
internal static class TlsEncoder
{
    public const string WorkloadSecret = "default";
    public const string RootSecret = "ROOTCA";
    public const string SpiffeScheme = "spiffe://";
    private const string SocketName = "envoy.transport_sockets.tls";

    public static TransportSocket Downstream(DownstreamTlsPlan plan)
    {
        var common = Mesh();
        common.AlpnProtocols.AddRange(plan.AlpnProtocols);
        foreach (var domain in plan.TrustDomains)
        {
            common.CombinedValidationContext.DefaultValidationContext.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher
            {
                SanType = SubjectAltNameMatcher.Types.SanType.Uri,
                Matcher = new StringMatcher { Prefix = $"{SpiffeScheme}{domain}/" },
            });
        }

        var context = new DownstreamTlsContext
        {
            CommonTlsContext = common,
            RequireClientCertificate = plan.RequireClientCertificate,
        };
        return new TransportSocket { Name = SocketName, TypedConfig = Wrap.Any(TypeUrls.DownstreamTls, context) };
    }

    public static TransportSocket Upstream(UpstreamTlsPlan plan)
    {
        var common = plan.Mode == UpstreamTlsMode.Simple ? Files(plan) : Mesh();
        common.AlpnProtocols.AddRange(plan.AlpnProtocols);
        var simple = plan.Mode == UpstreamTlsMode.Simple;
        var validation = simple ? common.ValidationContext : common.CombinedValidationContext.DefaultValidationContext;
        foreach (var name in plan.SubjectAltNames)
        {
            validation.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher
            {
                SanType = simple && !name.Contains("://", StringComparison.Ordinal)
                    ? SubjectAltNameMatcher.Types.SanType.Dns
                    : SubjectAltNameMatcher.Types.SanType.Uri,
                Matcher = new StringMatcher { Exact = name },
            });
        }

        var context = new UpstreamTlsContext { CommonTlsContext = common, Sni = plan.Sni };
        return new TransportSocket { Name = SocketName, TypedConfig = Wrap.Any(TypeUrls.UpstreamTls, context) };
    }

    private static CommonTlsContext Mesh()
    {
        var common = new CommonTlsContext
        {
            CombinedValidationContext = new CommonTlsContext.Types.CombinedCertificateValidationContext
            {
                DefaultValidationContext = new CertificateValidationContext(),
                ValidationContextSdsSecretConfig = new SdsSecretConfig { Name = RootSecret, SdsConfig = Wrap.Ads() },
            },
        };
        common.TlsCertificateSdsSecretConfigs.Add(new SdsSecretConfig { Name = WorkloadSecret, SdsConfig = Wrap.Ads() });
        return common;
    }

    private static CommonTlsContext Files(UpstreamTlsPlan plan)
    {
        var validation = new CertificateValidationContext
        {
            TrustChainVerification = plan.InsecureSkipVerify
                ? CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted
                : CertificateValidationContext.Types.TrustChainVerification.VerifyTrustChain,
        };
        if (plan.CaCertificatesFile.Length > 0)
        {
            validation.TrustedCa = new DataSource { Filename = plan.CaCertificatesFile };
        }
        else
        {
            validation.SystemRootCerts = new CertificateValidationContext.Types.SystemRootCerts();
        }

        return new CommonTlsContext { ValidationContext = validation };
    }
}
