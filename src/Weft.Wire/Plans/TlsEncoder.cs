// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Weft.Model;
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
        var common = new CommonTlsContext();
        var clients = plan.Clients;
        if (plan.Certificates.Count == 0)
        {
            common.TlsCertificateSdsSecretConfigs.Add(Secret(WorkloadSecret));
            clients = (clients ?? new ValidationPlan("", "", "")) with { Secret = RootSecret };
        }

        foreach (var certificate in plan.Certificates)
        {
            Add(common, certificate);
        }

        var validation = clients is null ? null : Validate(common, clients);
        foreach (var domain in plan.TrustDomains)
        {
            validation?.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher
            {
                SanType = SubjectAltNameMatcher.Types.SanType.Uri,
                Matcher = new StringMatcher { Prefix = $"{SpiffeScheme}{domain}/" },
            });
        }

        common.AlpnProtocols.AddRange(plan.AlpnProtocols);
        common.TlsParams = Parameters(plan.Parameters);
        var context = new DownstreamTlsContext
        {
            CommonTlsContext = common,
            RequireClientCertificate = plan.RequireClientCertificate,
        };
        return new TransportSocket { Name = SocketName, TypedConfig = Wrap.Any(TypeUrls.DownstreamTls, context) };
    }

    public static TransportSocket Upstream(UpstreamTlsPlan plan)
    {
        var common = new CommonTlsContext();
        var simple = plan.Mode == UpstreamTlsMode.Simple;
        var secret = simple ? plan.CaSecret : RootSecret;
        var validation = Validate(common, new ValidationPlan(secret, secret.Length > 0 ? "" : plan.CaCertificatesFile, plan.CrlFile));
        if (!simple)
        {
            common.TlsCertificateSdsSecretConfigs.Add(Secret(WorkloadSecret));
        }
        else
        {
            if (plan.Certificate is { } certificate)
            {
                Add(common, certificate);
            }

            if (plan.CaCertificatesFile.Length == 0 && secret.Length == 0)
            {
                validation.SystemRootCerts = new CertificateValidationContext.Types.SystemRootCerts();
            }

            validation.TrustChainVerification = plan.InsecureSkipVerify
                ? CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted
                : CertificateValidationContext.Types.TrustChainVerification.VerifyTrustChain;
        }

        common.AlpnProtocols.AddRange(plan.AlpnProtocols);
        Match(validation, plan.SubjectAltNames, simple);
        var context = new UpstreamTlsContext { CommonTlsContext = common, Sni = plan.Sni };
        return new TransportSocket { Name = SocketName, TypedConfig = Wrap.Any(TypeUrls.UpstreamTls, context) };
    }

    private static SdsSecretConfig Secret(string name) => new() { Name = name, SdsConfig = Wrap.Ads() };

    private static void Add(CommonTlsContext common, CertificateSource certificate)
    {
        if (certificate.Secret.Length > 0)
        {
            common.TlsCertificateSdsSecretConfigs.Add(Secret(certificate.Secret));
            return;
        }

        common.TlsCertificates.Add(new TlsCertificate
        {
            CertificateChain = new DataSource { Filename = certificate.ChainFile },
            PrivateKey = new DataSource { Filename = certificate.KeyFile },
        });
    }

    private static CertificateValidationContext Validate(CommonTlsContext common, ValidationPlan plan)
    {
        var validation = new CertificateValidationContext();
        if (plan.Secret.Length > 0)
        {
            common.CombinedValidationContext = new CommonTlsContext.Types.CombinedCertificateValidationContext
            {
                DefaultValidationContext = validation,
                ValidationContextSdsSecretConfig = Secret(plan.Secret),
            };
        }
        else
        {
            common.ValidationContext = validation;
        }

        if (plan.CaFile.Length > 0)
        {
            validation.TrustedCa = new DataSource { Filename = plan.CaFile };
        }

        if (plan.CrlFile.Length > 0)
        {
            validation.Crl = new DataSource { Filename = plan.CrlFile };
        }

        validation.VerifyCertificateSpki.AddRange(plan.KeyPins);
        validation.VerifyCertificateHash.AddRange(plan.CertificatePins);
        Match(validation, plan.SubjectAltNames, isOutside: true);
        return validation;
    }

    private static void Match(CertificateValidationContext validation, EquatableArray<string> names, bool isOutside)
    {
        foreach (var name in names)
        {
            validation.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher
            {
                SanType = isOutside && !name.Contains("://", StringComparison.Ordinal)
                    ? SubjectAltNameMatcher.Types.SanType.Dns
                    : SubjectAltNameMatcher.Types.SanType.Uri,
                Matcher = new StringMatcher { Exact = name },
            });
        }
    }

    private static TlsParameters? Parameters(TlsParametersPlan plan)
    {
        if (plan == TlsParametersPlan.Default)
        {
            return null;
        }

        var parameters = new TlsParameters
        {
            TlsMinimumProtocolVersion = (TlsParameters.Types.TlsProtocol)plan.Min,
            TlsMaximumProtocolVersion = (TlsParameters.Types.TlsProtocol)plan.Max,
        };
        parameters.CipherSuites.AddRange(plan.Ciphers);
        return parameters;
    }
}
