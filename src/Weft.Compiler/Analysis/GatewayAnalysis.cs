// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Gateways;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Analysis;

/// <summary>Gateways that nobody serves, and routes that no gateway takes.</summary>
internal static class GatewayAnalysis
{
    public static void Run(MeshSnapshot index, List<Diagnostic> findings)
    {
        foreach (var gateway in index.Gateways.All)
        {
            var namespaces = index.World.Workloads.Where(w => gateway.Selector.Selects(w.Labels)).Select(w => w.Namespace)
                .Distinct(StringComparer.Ordinal).ToList();
            if (namespaces.Count == 0 && StandardGateway.SelectedBy(gateway.Selector) is not null)
            {
                // Started as soon as the object is there, and installed with Istio elsewhere.
                namespaces.Add(StandardGateway.Namespace);
            }
            else if (namespaces.Count == 0)
            {
                findings.Add(CompilerMessages.GatewaySelectsNothing.At(gateway.Origin));
            }

            foreach (var ns in namespaces)
            {
                CheckCredentials(index, gateway, ns, findings);
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

    private static void CheckCredentials(MeshSnapshot index, GatewayIntent gateway, string ns, List<Diagnostic> findings)
    {
        foreach (var server in gateway.Servers.Where(s => s.Tls is not null))
        {
            foreach (var secret in GatewayTls.Secrets(server.Tls!))
            {
                var names = SecretNames.Candidates(secret);
                var broken = names.Select(name => index.Credentials.Find(ns, name)).FirstOrDefault(c => c is { Problem.Length: > 0 });
                if (broken is not null)
                {
                    findings.Add(CompilerMessages.CredentialBroken.At(server.Origin, $"{ns}/{broken.Name}", broken.Problem));
                }
                else if (index.Credentials.Holder(ns, secret) is null)
                {
                    findings.Add(CompilerMessages.CredentialMissing.At(
                        server.Origin, $"{ns}/{names[^1]}", SecretNames.IsRoots(secret) ? "roots" : "a key and its certificate"));
                }
            }
        }
    }
}
