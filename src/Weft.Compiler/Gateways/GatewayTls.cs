// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Compiler.Gateways;

/// <summary>TLS that ends at a gateway: with its own identity, or with certificates of the operator's.</summary>
internal static class GatewayTls
{
    private static readonly EquatableArray<string> _http = ["h2", "http/1.1"];

    public static DownstreamTlsPlan Compile(ServerTls tls, EquatableArray<string> trustDomains, bool isHttp)
    {
        var alpn = isHttp ? _http : [];
        return tls.Mode == ServerTlsMode.IstioMutual
            ? new DownstreamTlsPlan(true, trustDomains, alpn) { Clients = tls.Clients, Parameters = tls.Parameters }
            : new DownstreamTlsPlan(tls.Mode == ServerTlsMode.Mutual, [], alpn)
            {
                Certificates = tls.Certificates,
                Clients = tls.Clients,
                Parameters = tls.Parameters,
            };
    }

    /// <summary>The secrets that a server needs.</summary>
    public static IEnumerable<string> Secrets(ServerTls tls) =>
        tls.Certificates.Select(c => c.Secret).Append(tls.Clients?.Secret ?? "").Where(name => name.Length > 0);
}
