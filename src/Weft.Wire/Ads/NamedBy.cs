// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Wire.Ads;

/// <summary>Names of other resources in listeners and clusters.</summary>
internal static class NamedBy
{
    public static IEnumerable<string> RouteTables(ListenerPlan listener)
    {
        foreach (var chain in ChainsOf(listener))
        {
            if (chain.Http is { RouteTable.Length: > 0 } http)
            {
                yield return http.RouteTable;
            }
        }
    }

    public static IEnumerable<string> Secrets(ListenerPlan listener)
    {
        foreach (var chain in ChainsOf(listener))
        {
            foreach (var name in chain.Tls is { } tls ? Secrets(tls) : [])
            {
                yield return name;
            }
        }
    }

    public static IEnumerable<string> Secrets(ClusterPlan cluster)
    {
        if (cluster.Tls?.Certificate is { Secret.Length: > 0 } certificate)
        {
            yield return certificate.Secret;
        }

        if (cluster.Tls is { CaSecret.Length: > 0 } tls)
        {
            yield return tls.CaSecret;
        }
    }

    private static IEnumerable<string> Secrets(DownstreamTlsPlan tls) =>
        tls.Certificates.Select(c => c.Secret).Append(tls.Clients?.Secret ?? "").Where(name => name.Length > 0);

    private static IEnumerable<ChainPlan> ChainsOf(ListenerPlan listener) =>
        listener.DefaultChain is { } last ? listener.Chains.Append(last) : listener.Chains;
}
