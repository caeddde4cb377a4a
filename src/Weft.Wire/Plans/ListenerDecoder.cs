// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Listener.ProxyProtocol.V3;
using Google.Protobuf;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Listener → listener plan.</summary>
internal static class ListenerDecoder
{
    private const int DefaultInspectTimeoutMs = 15_000;
    private const int MaxPort = 65_535;

    private static readonly MessageParser<V1.ChainFacts> _facts = V1.ChainFacts.Parser.WithDiscardUnknownFields(true);

    private static readonly MessageParser<ProxyProtocol> _headers = ProxyProtocol.Parser.WithDiscardUnknownFields(true);

    public static ListenerPlan Decode(DecodeScope scope, Listener listener)
    {
        if (listener.Name.Length == 0)
        {
            scope.Error("a listener must have a name");
        }

        var (address, port) = scope.Address(listener.Address);
        var direction = listener.TrafficDirection == Envoy.Config.Core.V3.TrafficDirection.Inbound
            ? Model.Plan.TrafficDirection.Inbound
            : Model.Plan.TrafficDirection.Outbound;
        var filters = DecodeFilters(scope, listener);
        var chains = new ChainPlan[listener.FilterChains.Count];
        for (var i = 0; i < chains.Length; i++)
        {
            using var at = scope.At("filter_chains", i);
            chains[i] = DecodeChain(scope, listener.FilterChains[i], direction);
        }

        ChainPlan? fallback = null;
        if (listener.DefaultFilterChain is { } chain)
        {
            using var at = scope.At("default_filter_chain");
            fallback = DecodeChain(scope, chain, direction);
        }

        return new ListenerPlan(
            listener.Name,
            address,
            port,
            direction,
            listener.BindToPort ?? true,
            filters.Original || (listener.UseOriginalDst ?? false),
            filters.Tls,
            filters.Http,
            scope.Milliseconds(listener.ListenerFiltersTimeout, DefaultInspectTimeoutMs, "listener_filters_timeout"),
            chains.ToEquatableArray(),
            fallback)
        {
            ProxyProtocol = filters.Header,
            MoreAddresses = DecodeMore(scope, listener, port),
        };
    }

    private static EquatableArray<string> DecodeMore(DecodeScope scope, Listener listener, int port)
    {
        var more = new string[listener.AdditionalAddresses.Count];
        for (var i = 0; i < more.Length; i++)
        {
            using var at = scope.At("additional_addresses", i);
            (more[i], var other) = scope.Address(listener.AdditionalAddresses[i].Address);
            if (other != port)
            {
                scope.Error($"port {other} is not the listener's, {port}");
            }
        }

        return more.ToEquatableArray();
    }

    private static (bool Tls, bool Http, bool Original, ProxyHeaderRule Header) DecodeFilters(DecodeScope scope, Listener listener)
    {
        var (tls, http, original, header) = (false, false, false, ProxyHeaderRule.None);
        for (var i = 0; i < listener.ListenerFilters.Count; i++)
        {
            using var at = scope.At("listener_filters", i);
            var config = listener.ListenerFilters[i].TypedConfig;
            switch (config?.TypeUrl)
            {
                case TypeUrls.TlsInspector:
                    tls = true;
                    break;
                case TypeUrls.HttpInspector:
                    http = true;
                    break;
                case TypeUrls.OriginalDestination:
                    original = true;
                    break;
                case TypeUrls.ProxyProtocol:
                    header = scope.Parse(_headers, config.Value) is { AllowRequestsWithoutProxyProtocol: true }
                        ? ProxyHeaderRule.Optional
                        : ProxyHeaderRule.Required;
                    continue;
                default:
                    scope.Error($"listener filter {config?.TypeUrl} is not supported");
                    break;
            }

            if (config is { Value.IsEmpty: false })
            {
                scope.Warn("its settings are not supported and have no effect");
            }
        }

        return (tls, http, original, header);
    }

    private static ChainPlan DecodeChain(DecodeScope scope, FilterChain chain, Model.Plan.TrafficDirection direction)
    {
        var match = chain.FilterChainMatch is { } m ? DecodeMatch(scope, m) : ChainMatchPlan.Any;
        DownstreamTlsPlan? tls = null;
        if (chain.TransportSocket is { } socket && socket.TypedConfig?.TypeUrl != TypeUrls.RawBuffer)
        {
            using var at = scope.At("transport_socket");
            tls = TlsDecoder.Downstream(scope, socket);
        }

        Model.Diagnostics.Origin? origin = null;
        V1.HttpLimits? limits = null;
        var policies = new Dictionary<string, Model.Diagnostics.Origin>(StringComparer.Ordinal);
        if (chain.Metadata is { } metadata && metadata.TypedFilterMetadata.TryGetValue(Wrap.WeftKey, out var any))
        {
            using var at = scope.At("metadata");
            var facts = scope.Unpack(_facts, any, TypeUrls.ChainFacts);
            limits = facts?.HttpLimits;
            foreach (var policy in facts?.Policies ?? [])
            {
                policies[policy.Block] = DecodeScope.Origin(policy.Origin);
            }

            origin = facts?.Origin is { } o ? DecodeScope.Origin(o) : null;
            direction = facts?.HttpDirection switch
            {
                V1.Direction.Inbound => Model.Plan.TrafficDirection.Inbound,
                V1.Direction.Outbound => Model.Plan.TrafficDirection.Outbound,
                _ => direction,
            };
        }

        var filters = new FilterDecoder(scope, direction, limits, policies);
        var (http, tcp, hbone) = filters.Decode(chain);
        return new ChainPlan(chain.Name, match, tls, http, tcp, origin) { Hbone = hbone, Authorization = [.. filters.Authorization] };
    }

    private static ChainMatchPlan DecodeMatch(DecodeScope scope, FilterChainMatch match)
    {
        using var at = scope.At("filter_chain_match");
        var port = match.DestinationPort ?? 0;
        if (port > MaxPort)
        {
            scope.Error($"destination_port {port} is not between 1 and {MaxPort}");
        }

        return new ChainMatchPlan(
            (int)Math.Min(port, MaxPort),
            match.PrefixRanges.Select(r => Prefix(scope, r)).ToEquatableArray(),
            match.ServerNames.ToEquatableArray(),
            match.TransportProtocol,
            match.ApplicationProtocols.ToEquatableArray());
    }

    private static string Prefix(DecodeScope scope, CidrRange range)
    {
        var text = range.PrefixLen is { } length
            ? string.Create(CultureInfo.InvariantCulture, $"{range.AddressPrefix}/{length}")
            : range.AddressPrefix;
        if (!System.Net.IPAddress.TryParse(range.AddressPrefix, out var address) ||
            range.PrefixLen > (uint)(address.GetAddressBytes().Length * 8))
        {
            scope.Error($"prefix_ranges: \"{text}\" is no address range");
        }

        return text;
    }
}
