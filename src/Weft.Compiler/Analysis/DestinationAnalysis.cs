// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Analysis;

/// <summary>Destinations whose server is not verified, whose subsets nobody uses, or about which two dialects disagree.</summary>
internal static class DestinationAnalysis
{
    public static void Run(MeshSnapshot index, List<Diagnostic> findings)
    {
        var used = index.Intents.OfType<RouteIntent>().SelectMany(r => r.Http.SelectMany(h => h.Destinations)
            .Concat(r.Tls.Concat(r.Tcp).SelectMany(c => c.Destinations))).Select(d => (d.Host, d.Subset)).ToHashSet();
        foreach (var intent in index.Intents.OfType<DestinationIntent>())
        {
            CheckTls(intent, findings);
            foreach (var subset in intent.Subsets.Where(s => !used.Any(u => u.Subset == s.Name && HostPattern.Matches(intent.Host, u.Host))))
            {
                findings.Add(CompilerMessages.UnusedSubset.At(subset.Origin, subset.Name, intent.Host));
            }
        }

        foreach (var service in index.Services)
        {
            CheckDialects(index, service, findings);
        }
    }

    private static void CheckTls(DestinationIntent intent, List<Diagnostic> findings)
    {
        if (IsUnverified(intent.Policy.Tls))
        {
            findings.Add(CompilerMessages.ServerNotVerified.At(intent.Origin, Mode(intent.Policy.Tls!), intent.Host));
        }

        foreach (var port in intent.Policy.Ports.Where(p => IsUnverified(p.Policy.Tls)))
        {
            findings.Add(CompilerMessages.ServerNotVerifiedAtPort.At(intent.Origin, Mode(port.Policy.Tls!), Names.Number(port.Port), intent.Host));
        }
    }

    private static bool IsUnverified(ClientTls? tls) =>
        tls is { Mode: ClientTlsMode.Simple or ClientTlsMode.Mutual, CaCertificatesFile.Length: 0, Credential.Length: 0, InsecureSkipVerify: false };

    private static string Mode(ClientTls tls) => tls.Mode == ClientTlsMode.Simple ? "SIMPLE" : "MUTUAL";

    /// <summary>What a service's annotations say (Linkerd's and our own) and a rule of Istio says too.</summary>
    private static void CheckDialects(MeshSnapshot index, Service service, List<Diagnostic> findings)
    {
        if (service.Policy == ServicePolicy.None)
        {
            return;
        }

        var own = service.Policy;
        foreach (var intent in index.Intents.OfType<DestinationIntent>().Where(d => HostPattern.Matches(d.Host, service.Host)))
        {
            var said = intent.Policy;
            (string What, bool Both, Origin? Own)[] blocks =
            [
                ("load balancing", said.Balancer is not null && own.Traffic.Balancer is not null, own.Traffic.Balancer?.Origin),
                ("outlier detection", said.Outlier is not null && own.Traffic.Outlier is not null, own.Traffic.Outlier?.Origin),
                ("connection settings", said.Connections is not null && own.Traffic.Connections is not null, own.Traffic.Connections?.Origin),
                ("retry budget", said.RetryBudget is not null && own.Traffic.RetryBudget is not null, own.Traffic.RetryBudget?.Origin),
            ];
            foreach (var (what, _, origin) in blocks.Where(b => b.Both))
            {
                findings.Add(Contradiction(origin!, service.Host, what, intent.Origin));
            }
        }

        if ((own.Retries is not null || own.TimeoutMs > 0) && index.Routes.Find(service.Host, service.Namespace) is { Http.Count: > 0 } route)
        {
            findings.Add(Contradiction(own.Origin, service.Host, "retries and timeout", route.Origin));
        }
    }

    private static Diagnostic Contradiction(Origin loser, string host, string what, Origin winner) => CompilerMessages.ContradictoryDialects.At(
        loser, host, what, $"{winner.Kind} {winner.Namespace}/{winner.Name}", $"{loser.Kind} {loser.Namespace}/{loser.Name}");
}
