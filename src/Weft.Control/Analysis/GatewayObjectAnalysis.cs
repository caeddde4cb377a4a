// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Kubernetes;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Control.Analysis;

/// <summary>What gateways need beside themselves: ports of the service that leads to them.</summary>
internal static class GatewayObjectAnalysis
{
    public static IEnumerable<Diagnostic> Run(AnalysisInput input)
    {
        foreach (var intent in input.Objects.Select(o => o.Parsed.Intent).OfType<GatewayIntent>())
        {
            var pods = input.Mesh.World.Workloads.Where(w => intent.Selector.Selects(w.Labels)).ToList();
            foreach (var server in intent.Servers.ToList())
            {
                if (Unserved(input, pods, server) is { } services)
                {
                    yield return CompilerMessages.GatewayPortNotAtService.At(server.Origin, server.Port.ToString(CultureInfo.InvariantCulture), services);
                }
            }
        }
    }

    /// <summary>The services of the gateway's pods if none of them has the port; null if one has, or if there is no service to look at.</summary>
    private static string? Unserved(AnalysisInput input, List<Workload> pods, GatewayServer server)
    {
        var services = input.Objects.Where(o => o.Kind == "Service" && o.Json.TextMap("spec", "selector").ToList() is { Count: > 0 } labels
            && pods.Exists(p => p.Namespace == o.Namespace && labels.TrueForAll(l => p.Labels.Contains(new Label(l.Key, l.Value))))).ToList();
        var has = services.Exists(s => s.Json.Objects("spec", "ports").Any(p => p.Number("port") == server.Port || p.Number("targetPort") == server.Port));
        return services.Count == 0 || has ? null : string.Join(", ", services.Select(s => $"{s.Namespace}/{s.Name}"));
    }
}
