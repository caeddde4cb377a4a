// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Intent;

namespace Weft.Control.Patches;

/// <summary>Patches of listeners, their chains, and the filters of those.</summary>
internal static class ListenerPatch
{
    private const string HttpType = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

    /// <summary>Applies a patch to a listener; true if it matched something there.</summary>
    public static bool Apply(Listener listener, PlanPatch patch)
    {
        var isInbound = listener.TrafficDirection == TrafficDirection.Inbound;
        if (patch.Target is PatchTarget.RouteConfiguration or PatchTarget.VirtualHost or PatchTarget.HttpRoute)
        {
            // Routes that travel in the listener (inbound): name and port are the table's, not the listener's.
            return Meant(listener, patch with { Match = PatchMatch.Everything }, isInbound).Aggregate(false, (any, chain) => Routes(chain, patch) | any);
        }

        if (!Named(patch.Match.Name, listener.Name) || (!isInbound && patch.Match.Port != 0 && listener.Address?.SocketAddress?.PortValue != patch.Match.Port))
        {
            return false;
        }

        switch (patch.Target)
        {
            case PatchTarget.Listener when patch.Operation == PatchOperation.Merge:
                listener.MergeFrom(PatchValues.Read<Listener>(patch.Value));
                return true;
            case PatchTarget.ListenerFilter:
                return ListenerFilters(listener, patch);
            case PatchTarget.FilterChain when patch.Operation == PatchOperation.Merge && listener.DefaultFilterChain is { } last && IsMeant(last, patch, isInbound):
                last.MergeFrom(PatchValues.Read<FilterChain>(patch.Value));
                Chains(listener, patch, isInbound);
                return true;
            case PatchTarget.FilterChain:
                return Chains(listener, patch, isInbound);
            case PatchTarget.NetworkFilter:
                return Meant(listener, patch, isInbound).Aggregate(false, (any, chain) => NetworkFilters(chain, patch) | any);
            case PatchTarget.HttpFilter:
                return Meant(listener, patch, isInbound).Aggregate(false, (any, chain) => HttpFilters(chain, patch) | any);
            default:
                return false;
        }
    }

    private static bool Named(string wanted, string name) => wanted.Length == 0 || wanted == name;

    private static List<FilterChain> Meant(Listener listener, PlanPatch patch, bool isInbound) =>
        [.. listener.FilterChains.Concat(listener.DefaultFilterChain is { } last ? [last] : []).Where(chain => IsMeant(chain, patch, isInbound))];

    /// <summary>All inbound connections come in on one listener; the port that is asked for is the chain's there.</summary>
    private static bool IsMeant(FilterChain chain, PlanPatch patch, bool isInbound)
    {
        var (match, of) = (patch.Match, chain.FilterChainMatch);
        return Named(match.Chain, chain.Name)
            && (match.ServerName.Length == 0 || of?.ServerNames.Contains(match.ServerName) == true)
            && (match.TransportProtocol.Length == 0 || of?.TransportProtocol == match.TransportProtocol)
            && match.ApplicationProtocols.All(protocol => of?.ApplicationProtocols.Contains(protocol) == true)
            && (match.ChainPort == 0 || of?.DestinationPort == match.ChainPort)
            && (!isInbound || match.Port == 0 || of?.DestinationPort == match.Port);
    }

    private static bool ListenerFilters(Listener listener, PlanPatch patch) => ListPatch.Apply(
        listener.ListenerFilters,
        patch.Operation,
        () => PatchValues.Read<ListenerFilter>(patch.Value),
        patch.Match.ListenerFilter.Length == 0 ? null : filter => filter.Name == patch.Match.ListenerFilter,
        filter =>
        {
            var value = PatchValues.Read<ListenerFilter>(patch.Value);
            filter.TypedConfig = PatchValues.Merge(filter.TypedConfig, value.TypedConfig);
        });

    private static bool Chains(Listener listener, PlanPatch patch, bool isInbound) => ListPatch.Apply(
        listener.FilterChains,
        patch.Operation,
        () => PatchValues.Read<FilterChain>(patch.Value),
        chain => IsMeant(chain, patch, isInbound),
        chain => chain.MergeFrom(PatchValues.Read<FilterChain>(patch.Value)));

    private static bool NetworkFilters(FilterChain chain, PlanPatch patch) => ListPatch.Apply(
        chain.Filters,
        patch.Operation,
        () => PatchValues.Read<Filter>(patch.Value),
        patch.Match.NetworkFilter.Length == 0 ? null : filter => filter.Name == patch.Match.NetworkFilter,
        filter =>
        {
            var value = PatchValues.Read<Filter>(patch.Value);
            filter.TypedConfig = PatchValues.Merge(filter.TypedConfig, value.TypedConfig);
        });

    private static bool HttpFilters(FilterChain chain, PlanPatch patch) =>
        (patch.Match.NetworkFilter.Length == 0 || chain.Filters.Any(filter => filter.Name == patch.Match.NetworkFilter)) && WithHttp(chain, http => ListPatch.Apply(
            http.HttpFilters,
            patch.Operation,
            () => PatchValues.Read<HttpFilter>(patch.Value),
            patch.Match.HttpFilter.Length == 0 ? null : filter => filter.Name == patch.Match.HttpFilter,
            filter =>
            {
                var value = PatchValues.Read<HttpFilter>(patch.Value);
                filter.TypedConfig = PatchValues.Merge(filter.TypedConfig, value.TypedConfig);
            }));

    private static bool Routes(FilterChain chain, PlanPatch patch) =>
        WithHttp(chain, http => http.RouteConfig is { } routes && RoutePatch.Apply(routes, patch, (int)(chain.FilterChainMatch?.DestinationPort ?? 0)));

    private static bool WithHttp(FilterChain chain, Func<HttpConnectionManager, bool> change)
    {
        if (chain.Filters.FirstOrDefault(filter => filter.TypedConfig?.TypeUrl == HttpType) is not { } holder)
        {
            return false;
        }

        var http = HttpConnectionManager.Parser.ParseFrom(holder.TypedConfig.Value);
        var changed = change(http);
        holder.TypedConfig = changed ? new Any { TypeUrl = HttpType, Value = http.ToByteString() } : holder.TypedConfig;
        return changed;
    }
}
