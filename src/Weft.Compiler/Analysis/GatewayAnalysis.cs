// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Gateways;
using Weft.Model.Diagnostics;

namespace Weft.Compiler.Analysis;

/// <summary>Gateways that nobody serves, and routes that no gateway takes.</summary>
internal static class GatewayAnalysis
{
    public static void Run(MeshSnapshot index, List<Diagnostic> findings)
    {
        foreach (var gateway in index.Gateways.All)
        {
            if (!index.World.Workloads.Any(w => gateway.Selector.Selects(w.Labels)))
            {
                findings.Add(CompilerMessages.GatewaySelectsNothing.At(gateway.Origin));
            }
        }

        foreach (var (name, routes) in index.Gateways.Routes)
        {
            var gateway = index.Gateways.All.FirstOrDefault(g => g.FullName == name);
            foreach (var route in routes)
            {
                if (gateway is null)
                {
                    findings.Add(CompilerMessages.UnknownGateway.At(route.Origin, name));
                }
                else if (!gateway.Servers.Any(server => GatewayHosts.Common(server, route).Any()))
                {
                    findings.Add(CompilerMessages.HostNotAtGateway.At(route.Origin, name));
                }
            }
        }
    }
}
