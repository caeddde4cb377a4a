// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Proxy.Tests.Routing;

/// <summary>What operators wrote, who asks, and what.</summary>
internal sealed record IntentCase(bool IsGateway, IReadOnlyList<RouteIntent> Routes, Workload Client, AskedRequest Request)
{
    public const string GatewayName = "shop/edge";
    public static readonly string[] Hosts = ["one.shop.svc.cluster.local", "two.shop.svc.cluster.local"];

    public string Gateway => IsGateway ? GatewayName : "mesh";

    public MeshWorld World { get; } = new(
        [.. Hosts.Select((host, i) => new Service(
            host.Split('.')[0], "shop", host, [$"10.96.0.{i + 1}"], i == 0 ? [Port(80), Port(81)] : [Port(80)], false))],
        [],
        [],
        MeshSettings.Default);

    /// <summary>What is there beside the routes.</summary>
    public IEnumerable<MeshIntent> Others => !IsGateway ? [] :
    [
        new GatewayIntent(
            new Origin("istio", "Gateway", "shop", "edge", Position.None),
            DateTimeOffset.UnixEpoch,
            new LabelSelector([new Label("istio", "edge")]),
            [new GatewayServer("http", 80, ServerProtocol.Http, "", [new GatewayHost("*", "*")], null, false, Origin.BuiltIn)]),
    ];

    public static string AddressOf(string authority) =>
        Array.IndexOf(Hosts, authority.Split(':')[0]) is var at and >= 0 ? string.Create(CultureInfo.InvariantCulture, $"10.96.0.{at + 1}") : "203.0.113.1";

    public override string ToString() =>
        $"{Request.Method} {Request.Target} to {Request.Authority} port {Request.Port} with {string.Join(' ', Request.Headers)} from {Client.Namespace} {string.Join(' ', Client.Labels)}\n"
        + string.Join('\n', Routes.Select(r => $"{r.Origin.Name} hosts [{string.Join(' ', r.Hosts)}] gateways [{string.Join(' ', r.Gateways)}]\n  " + string.Join("\n  ", r.Http)));

    private static ServicePort Port(int number) => new("", number, "8080", PortProtocol.Http);
}

/// <summary>A request, taken apart.</summary>
internal sealed record AskedRequest(
    string Method, string Path, (string Name, string Value)[] Query, string Authority, int Port, (string Name, string Value)[] Headers)
{
    public string Target => Query.Length == 0 ? Path : $"{Path}?{string.Join('&', Query.Select(q => $"{q.Name}={q.Value}"))}";
}
