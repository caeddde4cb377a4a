// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Cli.Output;
using Weft.Compiler.Explain;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Cli.Asking;

/// <summary>A description as people and programs read it.</summary>
internal sealed record DescriptionText(
    string Kind,
    string Name,
    Workload? Pod,
    IReadOnlyList<string> Containers,
    IReadOnlyList<ServiceFacts> Services,
    IReadOnlyList<(PeerMode Mode, EquatableArray<PeerPortMode> Ports, Origin? Decides)> Peers,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<Diagnostic> Findings)
{
    private const string Rule = "--------------------\n";

    public string ToText(Terminal terminal)
    {
        var text = new StringBuilder();
        if (Pod is { } pod)
        {
            text.Append(CultureInfo.InvariantCulture, $"{terminal.Bold("Pod: " + Name)}\n   Address: {pod.Address}, service account {pod.ServiceAccount}\n   Containers: {string.Join(", ", Containers)}\n");
        }

        foreach (var service in Services)
        {
            text.Append(Pod is null ? "" : Rule);
            Append(text, service, terminal);
        }

        if (Peers.Count > 0)
        {
            text.Append(Rule).Append("Effective PeerAuthentication:\n");
        }

        foreach (var peer in Peers)
        {
            text.Append(CultureInfo.InvariantCulture, $"   Workload mTLS mode: {Word(peer.Mode)}{(peer.Decides is { } origin ? $", by {Title(origin)}" : ", the default")}\n");
            foreach (var port in peer.Ports)
            {
                text.Append(CultureInfo.InvariantCulture, $"   Port {port.Port}: {Word(port.Mode)}\n");
            }
        }

        if (Warnings.Count + Findings.Count > 0)
        {
            text.Append(Rule);
        }

        foreach (var warning in Warnings)
        {
            text.Append(CultureInfo.InvariantCulture, $"{terminal.Warning} {warning}\n");
        }

        foreach (var finding in Findings)
        {
            text.Append(CultureInfo.InvariantCulture, $"{terminal.Warning} {IstioCodes.Of(finding).Level} [{IstioCodes.Of(finding).Code}] {Title(finding.Origin)}: {finding.Fact}\n");
        }

        return text.ToString();
    }

    public JsonObject ToJson() => new()
    {
        ["kind"] = Kind,
        ["name"] = Name,
        ["address"] = Pod?.Address,
        ["meshed"] = Pod?.Meshed,
        ["containers"] = Texts(Containers),
        ["services"] = new JsonArray([.. Services.Select(ToJson)]),
        ["peerAuthentication"] = new JsonArray([.. Peers.Select(p => new JsonObject
        {
            ["mode"] = Word(p.Mode),
            ["ports"] = new JsonObject(p.Ports.Select(port => KeyValuePair.Create(port.Port.ToString(CultureInfo.InvariantCulture), (JsonNode?)Word(port.Mode)))),
            ["object"] = p.Decides is { } origin ? Title(origin) : null,
        })]),
        ["warnings"] = Texts(Warnings),
        ["findings"] = new JsonArray([.. Findings.Select(f => new JsonObject { ["code"] = IstioCodes.Of(f).Code, ["id"] = f.Id, ["object"] = Title(f.Origin), ["message"] = f.Fact })]),
    };

    private static JsonObject ToJson(ServiceFacts facts) => new()
    {
        ["host"] = facts.Service.Host,
        ["ports"] = Texts(facts.Ports),
        ["destinationRule"] = facts.Rule is not { } rule ? null : new JsonObject
        {
            ["object"] = Title(rule.Origin),
            ["matchingSubsets"] = Texts(rule.Matching),
            ["otherSubsets"] = Texts(rule.Others),
            ["trafficPolicy"] = Texts(rule.Policies),
        },
        ["virtualService"] = facts.Route is not { } route ? null : new JsonObject { ["object"] = Title(route.Intent.Origin), ["rules"] = Texts(route.Rules) },
        ["exposed"] = new JsonArray([.. facts.Exposures.Select(e => new JsonObject
        {
            ["gateway"] = e.Gateway,
            ["servers"] = Texts(e.Servers),
            ["virtualService"] = Title(e.Route),
            ["requests"] = Texts(e.Requests),
            ["proxies"] = e.Proxies,
        })]),
    };

    private static void Append(StringBuilder text, ServiceFacts facts, Terminal terminal)
    {
        text.Append(CultureInfo.InvariantCulture, $"{terminal.Bold($"Service: {facts.Service.Name}.{facts.Service.Namespace}")}  {facts.Service.Host}\n");
        foreach (var port in facts.Ports)
        {
            text.Append(CultureInfo.InvariantCulture, $"   Port: {port}\n");
        }

        if (facts.Rule is { } rule)
        {
            text.Append(CultureInfo.InvariantCulture, $"DestinationRule: {rule.Origin.Name}.{rule.Origin.Namespace}\n");
            text.Append(rule.Matching.Count == 0 ? "" : $"   Matching subsets: {string.Join(", ", rule.Matching)}\n");
            text.Append(rule.Others.Count == 0 ? "" : $"   Other subsets: {string.Join(", ", rule.Others)}\n");
            text.Append(rule.Policies.Count == 0 ? "   No traffic policy\n" : $"   Traffic policy: {string.Join(", ", rule.Policies)}\n");
        }

        if (facts.Route is { } route)
        {
            text.Append(CultureInfo.InvariantCulture, $"VirtualService: {route.Intent.Origin.Name}.{route.Intent.Origin.Namespace}\n");
            foreach (var line in route.Rules)
            {
                text.Append(CultureInfo.InvariantCulture, $"   {line}\n");
            }
        }

        foreach (var exposure in facts.Exposures)
        {
            text.Append(CultureInfo.InvariantCulture, $"Exposed on Gateway {exposure.Gateway}, served by {exposure.Proxies} {(exposure.Proxies == 1 ? "proxy" : "proxies")}: {string.Join("; ", exposure.Servers)}\n");
            text.Append(CultureInfo.InvariantCulture, $"   VirtualService {exposure.Route.Name}.{exposure.Route.Namespace}: {string.Join("; ", exposure.Requests)}\n");
        }
    }

    private static string Word(PeerMode mode) => mode.ToString().ToUpperInvariant();

    private static string Title(Origin origin) => $"{origin.Kind} {origin.Namespace}/{origin.Name}";

    private static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode?)text)];
}
