// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Compiler.Explain;

/// <summary>What a client speaks to a port of a service, and what the server there takes.</summary>
/// <param name="TakesTls">The server takes mutual TLS.</param>
/// <param name="TakesPlain">The server takes plain text.</param>
/// <param name="Client"><c>mTLS</c>, <c>HTTP</c>, or <c>TLS</c> of the operator's own.</param>
/// <param name="Policy">Who says what the server takes; null for the default.</param>
/// <param name="Rule">Who shaped what the client speaks; null for the default.</param>
public sealed record TlsMeeting(bool TakesTls, bool TakesPlain, string Client, Origin? Policy, Origin? Rule)
{
    private const string Mutual = "mTLS";
    private const string Plain = "HTTP";

    /// <summary>They will not understand each other.</summary>
    public bool IsConflict => (TakesTls || TakesPlain) && ((Client == Mutual && !TakesTls) || (Client == Plain && !TakesPlain));

    /// <summary>Null if the client's plan knows nothing of the port. Servers are asked by the address of their first endpoint.</summary>
    public static async Task<TlsMeeting?> OfAsync(ProxyPlan client, string host, int port, Func<string, Task<ProxyPlan?>> serverPlan)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"outbound|{port}||{host}");
        if (client.Clusters.FirstOrDefault(c => c.Name == name) is not { } cluster)
        {
            return null;
        }

        var endpoints = PlanWalk.EndpointsOf(client, cluster);
        var endpoint = endpoints.Count > 0 ? endpoints[0] : null;
        var server = endpoint is null ? null : await serverPlan(string.Create(CultureInfo.InvariantCulture, $"{endpoint.Address}:{endpoint.Port}"));
        var chains = server is null ? [] : ServerWalk.ChainsOf(server, endpoint!.Port);
        var speaks = cluster.Tls?.Mode switch
        {
            null => Plain,
            UpstreamTlsMode.Mutual => Mutual,
            UpstreamTlsMode.Auto => endpoint is { Meshed: true } ? Mutual : Plain,
            _ => "TLS",
        };
        return new TlsMeeting(
            chains.Any(c => c.Tls is not null),

            // Without a proxy everything is the application's own, which is taken for plain.
            server is null ? endpoint is not null : chains.Any(c => c.Tls is null && c.Match.TransportProtocol != "tls" && c.Tcp?.Clusters.All(t => t.Cluster == Names.BlackHole) is not true),
            speaks,
            chains.Select(c => c.Origin).FirstOrDefault(o => o is not null),
            cluster.Origin);
    }
}
