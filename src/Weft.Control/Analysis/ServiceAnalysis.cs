// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Dialects.Kubernetes;
using Weft.Kubernetes;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Control.Analysis;

/// <summary>Services: what their ports say, and whether they agree about the pods behind them.</summary>
internal static class ServiceAnalysis
{
    private static readonly string[] _transports = ["", "TCP"];

    public static IEnumerable<Diagnostic> Run(AnalysisInput input)
    {
        foreach (var service in input.Of("Service"))
        {
            foreach (var finding in Ports(service).Concat(Selector(input, service)))
            {
                yield return finding;
            }
        }

        foreach (var workload in input.Of("Deployment"))
        {
            foreach (var finding in Agreement(input, workload))
            {
                yield return finding;
            }
        }
    }

    private static IEnumerable<Diagnostic> Ports(AnalysisSubject service)
    {
        var isExternal = service.Json.Text("spec", "type") == "ExternalName";
        var index = 0;
        foreach (var port in service.Json.Objects("spec", "ports"))
        {
            var name = port.Text("name") ?? "";
            var number = (int)(port.Number("port") ?? 0);
            var place = service.At("spec", "ports", (index++).ToString(CultureInfo.InvariantCulture));
            if (!_transports.Contains(port.Text("protocol") ?? "", StringComparer.Ordinal))
            {
                continue;
            }

            var protocol = PortProtocols.Of(port.Text("appProtocol") ?? "", name, number, port.Text("protocol") ?? "");
            if (isExternal && protocol is PortProtocol.Auto or PortProtocol.Tcp)
            {
                yield return KubernetesMessages.ExternalNamePort.At(place, name);
            }
            else if (protocol == PortProtocol.Auto)
            {
                yield return KubernetesMessages.PortWithoutProtocol.At(place, name, Number(number));
            }
        }
    }

    private static IEnumerable<Diagnostic> Selector(AnalysisInput input, AnalysisSubject service)
    {
        var selector = SelectorOf(service);
        if (selector.MatchLabels.Count > 0 && !input.Objects.Any(o =>
            o.Kind is "Pod" or "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet" or "Job" && o.Namespace == service.Namespace && o.Selects(selector)))
        {
            yield return KubernetesMessages.ServiceSelectsNothing.At(service.At("spec", "selector"));
        }
    }

    /// <summary>Two services that lead to one port of the same pods.</summary>
    private static IEnumerable<Diagnostic> Agreement(AnalysisInput input, AnalysisSubject workload)
    {
        var ports = input.Of("Service").Where(s => s.Namespace == workload.Namespace && SelectorOf(s) is { MatchLabels.Count: > 0 } selector && workload.Selects(selector))
            .SelectMany(s => s.Json.Objects("spec", "ports").Select(p => (Service: s.Name, Port: p))).ToList();
        foreach (var same in ports.GroupBy(p => p.Port.Number("port")).Where(g => Distinct(g, p => p.Text("protocol") ?? "TCP") > 1))
        {
            yield return KubernetesMessages.PortWithTwoProtocols.At(
                workload.Parsed.Origin, Number(same.Key ?? 0), Join(same.Select(p => p.Port.Text("protocol") ?? "TCP")), Join(same.Select(p => p.Service)));
        }

        foreach (var same in ports.GroupBy(p => Target(p.Port), StringComparer.Ordinal).Where(g => Distinct(g, p => Number(p.Number("port") ?? 0)) > 1 && g.DistinctBy(p => p.Service).Count() > 1))
        {
            yield return KubernetesMessages.TargetPortWithTwoPorts.At(
                workload.Parsed.Origin, Join(same.Select(p => p.Service)), Join(same.Select(p => Number(p.Port.Number("port") ?? 0))), same.Key);
        }
    }

    private static LabelSelector SelectorOf(AnalysisSubject service) =>
        new([.. service.Json.TextMap("spec", "selector").Select(l => new Label(l.Key, l.Value))]);

    private static string Target(JsonObject port) => port.Text("targetPort") ?? Number(port.Number("targetPort") ?? port.Number("port") ?? 0);

    private static int Distinct(IEnumerable<(string Service, JsonObject Port)> ports, Func<JsonObject, string> of) =>
        ports.Select(p => of(p.Port)).Distinct(StringComparer.Ordinal).Count();

    private static string Join(IEnumerable<string> words) => string.Join(", ", words.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
