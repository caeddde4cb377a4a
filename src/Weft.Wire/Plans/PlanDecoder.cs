// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>xDS resources → plan. What cannot be taken is an error that names resource and field; what has no effect is a warning.</summary>
public static class PlanDecoder
{
    private static readonly MessageParser<Listener> _listeners = Listener.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Cluster> _clusters = Cluster.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<RouteConfiguration> _tables = RouteConfiguration.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<ClusterLoadAssignment> _assignments =
        ClusterLoadAssignment.Parser.WithDiscardUnknownFields(true);

    private static readonly MessageParser<Secret> _secrets = Secret.Parser.WithDiscardUnknownFields(true);

    /// <summary>Reads one resource.</summary>
    public static DecodedResource Decode(string typeUrl, string name, ByteString body)
    {
        var scope = new DecodeScope(typeUrl, name);
        object? part = null;
        if (body.Length > WireLimits.MaxResourceBytes)
        {
            scope.Error($"{body.Length} bytes are more than MaxResourceBytes ({WireLimits.MaxResourceBytes})");
        }
        else
        {
            part = DecodePart(scope, typeUrl, body);
        }

        if (part is not null && NameOf(part) != name)
        {
            scope.Error($"the resource calls itself \"{NameOf(part)}\"");
        }

        var errors = scope.Errors;
        return new DecodedResource(errors.IsEmpty ? part : null, errors, scope.Warnings);
    }

    /// <summary>Reads a whole plan.</summary>
    public static DecodedPlan Decode(IEnumerable<EncodedResource> resources)
    {
        var errors = ImmutableArray.CreateBuilder<WireProblem>();
        var warnings = ImmutableArray.CreateBuilder<WireProblem>();
        var parts = new List<object>();
        foreach (var resource in resources)
        {
            var decoded = Decode(resource.TypeUrl, resource.Name, resource.Body);
            errors.AddRange(decoded.Errors);
            warnings.AddRange(decoded.Warnings);
            if (decoded.Part is { } part)
            {
                parts.Add(part);
            }
        }

        var plan = errors.Count == 0 ? Assemble(parts) : null;
        return new DecodedPlan(plan, errors.ToImmutable(), warnings.ToImmutable());
    }

    /// <summary>Puts decoded parts together, each list sorted by name.</summary>
    public static ProxyPlan Assemble(IEnumerable<object> parts)
    {
        var all = parts.ToList();
        return new ProxyPlan(
            Sorted<ListenerPlan>(all), Sorted<RouteTablePlan>(all), Sorted<ClusterPlan>(all), Sorted<EndpointsPlan>(all))
        {
            Secrets = Sorted<SecretPlan>(all),
        };
    }

    internal static string NameOf(object part) => part switch
    {
        ListenerPlan listener => listener.Name,
        RouteTablePlan table => table.Name,
        ClusterPlan cluster => cluster.Name,
        EndpointsPlan endpoints => endpoints.Cluster,
        SecretPlan secret => secret.Name,
        _ => throw new ArgumentException($"{part.GetType()} is no part of a plan", nameof(part)),
    };

    private static object? DecodePart(DecodeScope scope, string typeUrl, ByteString body)
    {
        switch (typeUrl)
        {
            case TypeUrls.Listener:
                return scope.Parse(_listeners, body) is { } listener ? ListenerDecoder.Decode(scope, listener) : null;
            case TypeUrls.RouteTable:
                return scope.Parse(_tables, body) is { } table ? RouteDecoder.Decode(scope, table) : null;
            case TypeUrls.Cluster:
                return scope.Parse(_clusters, body) is { } cluster ? ClusterDecoder.Decode(scope, cluster) : null;
            case TypeUrls.Endpoints:
                return scope.Parse(_assignments, body) is { } endpoints ? EndpointsDecoder.Decode(scope, endpoints) : null;
            case TypeUrls.Secret:
                return scope.Parse(_secrets, body) is { } secret ? SecretCodec.Decode(scope, secret) : null;
            default:
                scope.Error($"type {typeUrl} is not supported");
                return null;
        }
    }

    private static EquatableArray<T> Sorted<T>(List<object> parts)
    {
        var list = parts.OfType<T>().ToArray();
        Array.Sort(list, static (a, b) => string.CompareOrdinal(NameOf(a!), NameOf(b!)));
        return list.ToEquatableArray();
    }
}
