// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>The <c>match</c> of a patch. A condition that cannot be kept makes the patch none: without it it would hold more widely.</summary>
internal static class PatchMatches
{
    private static readonly Choices<PatchContext> _contexts = new(
        ("ANY", PatchContext.Any),
        ("SIDECAR_INBOUND", PatchContext.SidecarInbound),
        ("SIDECAR_OUTBOUND", PatchContext.SidecarOutbound),
        ("GATEWAY", PatchContext.Gateway));

    private static readonly Choices<PatchRouteAction> _actions = new(
        ("ANY", PatchRouteAction.Any),
        ("ROUTE", PatchRouteAction.Route),
        ("REDIRECT", PatchRouteAction.Redirect),
        ("DIRECT_RESPONSE", PatchRouteAction.DirectResponse));

    /// <summary>Null, and reported, if a condition cannot be kept.</summary>
    public static (PatchContext Context, PatchMatch Match)? Read(ObjectReader? reader, PatchTarget target)
    {
        if (reader is null)
        {
            return (PatchContext.Any, PatchMatch.Everything);
        }

        var context = reader.Choice("context", _contexts) ?? PatchContext.Any;
        var match = PatchMatch.Everything;
        if (reader.Child("proxy") is { } proxy)
        {
            match = match with { ProxyVersion = proxy.Text("proxyVersion") ?? "", ProxyMetadata = proxy.Labels("metadata") };
            proxy.Finish();
        }

        var part = PartOf(target);
        var isKept = true;
        foreach (var other in (ReadOnlySpan<string>)["listener", "routeConfiguration", "cluster"])
        {
            if (other != part && reader.Find(other) is { } field)
            {
                field.Report(IstioMessages.PatchConditionNotSupported, other, $"what is patched has conditions of '{part}' only");
                isKept = false;
            }
        }

        if (reader.Child(part) is { } conditions)
        {
            match = part switch
            {
                "listener" => ReadListener(conditions, match, ref isKept),
                "cluster" => ReadCluster(conditions, match),
                _ => ReadRoutes(conditions, match),
            };
            conditions.Finish();
        }

        reader.Finish();
        return isKept ? (context, match) : null;
    }

    private static string PartOf(PatchTarget target) => target switch
    {
        PatchTarget.Cluster => "cluster",
        PatchTarget.RouteConfiguration or PatchTarget.VirtualHost or PatchTarget.HttpRoute => "routeConfiguration",
        _ => "listener",
    };

    private static PatchMatch ReadCluster(ObjectReader cluster, PatchMatch match) => match with
    {
        Name = cluster.Text("name") ?? "",
        Service = cluster.Text("service") ?? "",
        Subset = cluster.Text("subset") ?? "",
        Port = Port(cluster),
    };

    private static PatchMatch ReadListener(ObjectReader listener, PatchMatch match, ref bool isKept)
    {
        match = match with
        {
            Name = listener.Text("name") ?? "",
            Port = Port(listener),
            ListenerFilter = listener.Text("listenerFilter") ?? "",
        };
        if (listener.Find("portName") is { } portName)
        {
            portName.Report(IstioMessages.PatchConditionNotSupported, "portName", "Istio does nothing with it either; write portNumber");
            isKept = false;
        }

        if (listener.Child("filterChain") is not { } chain)
        {
            return match;
        }

        match = match with
        {
            Chain = chain.Text("name") ?? "",
            ServerName = chain.Text("sni") ?? "",
            TransportProtocol = chain.Text("transportProtocol") ?? "",
            ApplicationProtocols = [.. (chain.Text("applicationProtocols") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)],
            ChainPort = chain.Integer("destinationPort", 1, ushort.MaxValue) ?? 0,
        };
        if (chain.Child("filter") is { } filter)
        {
            var sub = filter.Child("subFilter");
            match = match with { NetworkFilter = filter.Text("name") ?? "", HttpFilter = sub?.Text("name") ?? "" };
            sub?.Finish();
            filter.Finish();
        }

        chain.Finish();
        return match;
    }

    private static PatchMatch ReadRoutes(ObjectReader routes, PatchMatch match)
    {
        match = match with
        {
            Name = routes.Text("name") ?? "",
            Port = Port(routes),
            GatewayPort = routes.Text("portName") ?? "",
            Gateway = routes.Text("gateway") ?? "",
        };
        if (routes.Child("vhost") is { } host)
        {
            var route = host.Child("route");
            match = match with
            {
                VirtualHost = host.Text("name") ?? "",
                Domain = host.Text("domainName") ?? "",
                Route = route?.Text("name") ?? "",
                RouteAction = route?.Choice("action", _actions) ?? PatchRouteAction.Any,
            };
            route?.Finish();
            host.Finish();
        }

        return match;
    }

    private static int Port(ObjectReader reader) => reader.Integer("portNumber", 1, ushort.MaxValue) ?? 0;
}
