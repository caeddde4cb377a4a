// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Weft.Wire.Plans;

/// <summary>Small messages that every encoder needs.</summary>
internal static class Wrap
{
    public const string WeftKey = "weft.v1";
    public const string IstioKey = "istio";
    public const string TransportMatchKey = "envoy.transport_socket_match";
    public const string FaultFilter = "envoy.filters.http.fault";
    public const string CorsFilter = "envoy.filters.http.cors";
    public const string RateLimitFilter = "envoy.filters.http.local_ratelimit";
    public const string HttpRbacFilter = "envoy.filters.http.rbac";
    public const string NetworkRbacFilter = "envoy.filters.network.rbac";
    public const string GlobalLimitFilter = "envoy.filters.http.ratelimit";
    public const string CompressorFilter = "envoy.filters.http.compressor";
    public const string BufferFilter = "envoy.filters.http.buffer";
    public const string GrpcWebFilter = "envoy.filters.http.grpc_web";

    private const int MsPerSecond = 1000;
    private const int NanosPerMs = 1_000_000;

    public static Any Any(string typeUrl, IMessage message) => new() { TypeUrl = typeUrl, Value = message.ToByteString() };

    public static Any Nothing(string typeUrl) => new() { TypeUrl = typeUrl };

    public static Duration Duration(long ms) =>
        new() { Seconds = ms / MsPerSecond, Nanos = (int)(ms % MsPerSecond) * NanosPerMs };

    public static ConfigSource Ads() =>
        new() { Ads = new AggregatedConfigSource(), ResourceApiVersion = ApiVersion.V3 };

    public static Struct Struct(string key, Value value)
    {
        var result = new Struct();
        result.Fields.Add(key, value);
        return result;
    }

    public static Value Text(string text) => new() { StringValue = text };

    public static Address Address(string address, int port) =>
        new() { SocketAddress = new SocketAddress { Address = address, PortValue = (uint)port } };

    public static V1.Origin Origin(Model.Diagnostics.Origin origin) => new()
    {
        Dialect = origin.Dialect,
        Kind = origin.Kind,
        Namespace = origin.Namespace,
        Name = origin.Name,
        File = origin.Position.File ?? "",
        Line = origin.Position.Line,
        Column = origin.Position.Column,
        Path = origin.Path,
    };

    /// <summary>Where Istio's tools look for the object behind a cluster or a route; null for what no Istio object made.</summary>
    public static string? IstioConfigPath(Model.Diagnostics.Origin origin) => (origin.Dialect, origin.Kind) switch
    {
        ("istio", "VirtualService") => Path("networking.istio.io/v1", "virtual-service", origin),
        ("istio", "DestinationRule") => Path("networking.istio.io/v1", "destination-rule", origin),
        _ => null,
    };

    private static string Path(string group, string kind, Model.Diagnostics.Origin origin) =>
        $"/apis/{group}/namespaces/{origin.Namespace}/{kind}/{origin.Name}";
}
