// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Common.Ratelimit.V3;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>RouteConfiguration → route table plan.</summary>
internal static class RouteDecoder
{
    private static readonly MessageParser<V1.RouteFacts> _facts = V1.RouteFacts.Parser.WithDiscardUnknownFields(true);

    public static RouteTablePlan Decode(DecodeScope scope, RouteConfiguration table)
    {
        var hosts = new VirtualHostPlan[table.VirtualHosts.Count];
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < hosts.Length; i++)
        {
            using var at = scope.At("virtual_hosts", i);
            var host = table.VirtualHosts[i];
            foreach (var domain in host.Domains)
            {
                if (!seen.Add(domain))
                {
                    scope.Error($"domain \"{domain}\" belongs to another virtual host already");
                }
            }

            hosts[i] = new VirtualHostPlan(host.Name, host.Domains.ToEquatableArray(), DecodeRoutes(scope, host));
        }

        return new RouteTablePlan(table.Name, hosts.ToEquatableArray());
    }

    private static EquatableArray<RoutePlan> DecodeRoutes(DecodeScope scope, VirtualHost host)
    {
        var routes = new RoutePlan[host.Routes.Count];
        foreach (var name in host.TypedPerFilterConfig.Keys.Where(name => name != Wrap.RateLimitFilter))
        {
            scope.Error($"typed_per_filter_config: settings of filter {name} for a whole virtual host are not supported");
        }

        var limit = RateLimits.Find(scope, host.TypedPerFilterConfig);
        var descriptors = RateActions.Decode(scope, host.RateLimits);
        for (var i = 0; i < routes.Length; i++)
        {
            using var at = scope.At("routes", i);
            var route = DecodeRoute(scope, host.Routes[i], limit);
            routes[i] = descriptors.Count > 0 && route.Forward is { } forward
                ? route with { Forward = forward with { RateDescriptors = Described(scope, host.Routes[i], forward.RateDescriptors, descriptors) } }
                : route;
        }

        return routes.ToEquatableArray();
    }

    /// <summary>A virtual host's descriptions hold for routes that have none, and for those that ask for both.</summary>
    private static EquatableArray<RateDescriptorPlan> Described(
        DecodeScope scope, Route route, EquatableArray<RateDescriptorPlan> own, EquatableArray<RateDescriptorPlan> host) =>
        route.Route_.IncludeVhRateLimits == true ? [.. own, .. host] : GlobalLimits.HostRule(scope, route.TypedPerFilterConfig) switch
        {
            VhRateLimitsOptions.Include => [.. own, .. host],
            VhRateLimitsOptions.Ignore => own,
            _ => own.Count > 0 ? own : host,
        };

    private static void WarnOfUpgrades(DecodeScope scope, Route route)
    {
        var endsConnect = false;
        foreach (var upgrade in route.Route_.UpgradeConfigs)
        {
            var isConnect = upgrade.UpgradeType.Equals(ConnectionRules.Connect, StringComparison.OrdinalIgnoreCase);
            endsConnect |= isConnect && upgrade.ConnectConfig is not null;
            if (!isConnect || upgrade.Enabled == false)
            {
                scope.Warn($"upgrade_configs: {upgrade.UpgradeType} cannot be switched for one route");
            }
        }

        if (route.Match is { PathSpecifierCase: RouteMatch.PathSpecifierOneofCase.ConnectMatcher } && !endsConnect)
        {
            scope.Warn("CONNECT is ended here all the same; sending it on (upgrade_configs without connect_config) is not supported");
        }
    }

    private static RoutePlan DecodeRoute(DecodeScope scope, Route route, RateLimitPlan? limit)
    {
        ForwardPlan? forward = null;
        RedirectPlan? redirect = null;
        DirectResponsePlan? direct = null;
        switch (route.ActionCase)
        {
            case Route.ActionOneofCase.Route_:
                forward = ActionDecoder.Forward(scope, route.Route_);
                WarnOfUpgrades(scope, route);
                break;
            case Route.ActionOneofCase.Redirect:
                redirect = ActionDecoder.Redirect(scope, route.Redirect);
                break;
            case Route.ActionOneofCase.DirectResponse:
                direct = ActionDecoder.Direct(scope, route.DirectResponse);
                break;
            default:
                scope.Error("no supported action: route, redirect or direct_response");
                break;
        }

        var facts = DecodeFacts(scope, route.Metadata);
        var (fault, cors) = ActionDecoder.Filters(scope, route);
        return new RoutePlan(
            route.Name,
            MatchDecoder.Decode(scope, route.Match),
            forward,
            redirect,
            direct,
            fault,
            Headers(scope, route.RequestHeadersToAdd, route.RequestHeadersToRemove),
            Headers(scope, route.ResponseHeadersToAdd, route.ResponseHeadersToRemove),
            DecodeScope.Origin(facts?.Origin))
        {
            MaxBodyBytes = BodyBuffers.Find(scope, route.TypedPerFilterConfig) is > 0 and var own ? own : facts?.MaxBodyBytes ?? 0,
            Cors = cors,
            RateLimit = RateLimits.Find(scope, route.TypedPerFilterConfig) ?? limit,
        };
    }

    public static HeaderOperationsPlan Headers(
        DecodeScope scope, RepeatedField<HeaderValueOption> add, RepeatedField<string> remove)
    {
        if (add.Count == 0 && remove.Count == 0)
        {
            return HeaderOperationsPlan.None;
        }

        var set = new List<HeaderPlan>();
        var append = new List<HeaderPlan>();
        foreach (var option in add)
        {
            var header = new HeaderPlan(option.Header?.Key ?? "", option.Header?.Value ?? "");
            switch (option.AppendAction)
            {
                case HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd:
                case HeaderValueOption.Types.HeaderAppendAction.AppendIfExistsOrAdd when option.Append == false:
                    set.Add(header);
                    break;
                case HeaderValueOption.Types.HeaderAppendAction.AppendIfExistsOrAdd:
                    append.Add(header);
                    break;
                default:
                    scope.Error($"append_action {option.AppendAction} of header {header.Name} is not supported");
                    break;
            }
        }

        return new HeaderOperationsPlan(set.ToEquatableArray(), append.ToEquatableArray(), remove.ToEquatableArray());
    }

    private static V1.RouteFacts? DecodeFacts(DecodeScope scope, Metadata? metadata)
    {
        if (metadata is null || !metadata.TypedFilterMetadata.TryGetValue(Wrap.WeftKey, out var any))
        {
            return null;
        }

        using var at = scope.At("metadata");
        return scope.Unpack(_facts, any, TypeUrls.RouteFacts);
    }
}
