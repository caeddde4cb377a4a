// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>Client TLS of a cluster: what the operator asked for, else mutual TLS wherever the endpoint takes it.</summary>
internal static class ClusterTls
{
    private static readonly string[] _http = ["istio-http/1.1", "istio", "http/1.1"];
    private static readonly string[] _http2 = ["istio-h2", "istio", "h2"];
    private static readonly string[] _tcp = ["istio"];

    public static UpstreamTlsPlan? Compile(Target target, ClientTls? tls, bool passthrough) => tls?.Mode switch
    {
        ClientTlsMode.Disable => null,
        ClientTlsMode.IstioMutual => Mesh(UpstreamTlsMode.Mutual, target, tls.Sni, tls.SubjectAltNames),
        ClientTlsMode.Simple or ClientTlsMode.Mutual => Outside(target, tls),

        // Nobody there has a proxy to speak mutual TLS to.
        _ when target.Service.IsExternal || !target.Mesh.AutoMtls => null,

        // The address that the client asked for carries no mark of its own, so it is all or nothing.
        _ when passthrough => target.Facts.AllMeshed ? Mesh(UpstreamTlsMode.Mutual, target, "", []) : null,
        _ => Mesh(UpstreamTlsMode.Auto, target, "", []),
    };

    private static UpstreamTlsPlan Mesh(UpstreamTlsMode mode, Target target, string sni, EquatableArray<string> names) => new(
        mode,
        sni.Length > 0 ? sni : Names.Sni(target.Port.Port, target.Subset?.Name ?? "", target.Service.Host),
        target.Port.Protocol is PortProtocol.Tcp or PortProtocol.Tls ? [.. _tcp] : target.Protocol == UpstreamProtocol.Http2 ? [.. _http2] : [.. _http],
        names.Count > 0 ? names : [.. target.Facts.Identities, .. target.Service.SubjectAltNames],
        "",
        false);

    /// <summary>The secrets that a cluster needs.</summary>
    public static IEnumerable<string> Secrets(ClusterPlan cluster) => cluster.Tls is { } tls
        ? new[] { tls.Certificate?.Secret ?? "", tls.CaSecret }.Where(name => name.Length > 0)
        : [];

    /// <summary>
    /// False where a rule's credential is not for this client: the connection would not be what was asked for, so there is no cluster, and
    /// requests are answered 503 with flag NC.
    /// </summary>
    public static bool MayConnect(Target target, bool isGateway) =>
        target.Policy.Tls is not { Mode: ClientTlsMode.Simple or ClientTlsMode.Mutual, Credential.Length: > 0 } ||
        isGateway || target.Merged is { NamesClients: true };

    private static UpstreamTlsPlan Outside(Target target, ClientTls tls) => new(
        UpstreamTlsMode.Simple,
        tls.Sni.Length > 0 || HostPattern.IsWildcard(target.Service.Host) ? tls.Sni : target.Service.Host,
        [],
        tls.SubjectAltNames.Count > 0 ? tls.SubjectAltNames : target.Service.SubjectAltNames,
        tls.CaCertificatesFile,
        tls.InsecureSkipVerify)
    {
        Certificate = tls.Mode != ClientTlsMode.Mutual ? null
            : tls.Credential.Length > 0 ? CertificateSource.Of(tls.Credential)
            : new CertificateSource("", tls.ClientCertificateFile, tls.PrivateKeyFile),
        CaSecret = SecretNames.Roots(tls.Credential),
        CrlFile = tls.CrlFile,
    };
}
