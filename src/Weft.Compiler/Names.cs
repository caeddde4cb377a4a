// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model;
using Weft.Model.World;

namespace Weft.Compiler;

/// <summary>Istio's names of clusters, listeners and route tables; operators and tools know them.</summary>
internal static class Names
{
    public const string Passthrough = "PassthroughCluster";
    public const string BlackHole = "BlackHoleCluster";
    public const string InboundPassthrough = "InboundPassthroughCluster";
    public const string VirtualOutbound = "virtualOutbound";
    public const string VirtualInbound = "virtualInbound";
    public const string HboneListener = "connect_terminate";
    public const string AnyAddress = "0.0.0.0";
    public const string AnyAddress6 = "::";

    /// <summary>How addresses begin that the mesh gives to hosts which have none: 240.240.0.0/16.</summary>
    public const string GivenPrefix = "240.240.";
    public const string DefaultRoute = "default";
    public const string AllowAny = "allow_any";
    public const string BlockAll = "block_all";
    public const string MeshGateway = "mesh";
    public const int OutboundPort = 15001;
    public const int InboundPort = 15006;
    public const int HbonePort = 15008;

    /// <summary>Where a proxy that takes connections at <see cref="AnyAddress"/> takes them, too.</summary>
    public static EquatableArray<string> BesideAnyAddress(Workload workload) => workload.HasVersion6 ? [AnyAddress6] : [];

    public static string Outbound(int port, string subset, string host) =>
        string.Create(CultureInfo.InvariantCulture, $"outbound|{port}|{subset}|{host}");

    public static string Sni(int port, string subset, string host) =>
        string.Create(CultureInfo.InvariantCulture, $"outbound_.{port}_.{subset}_.{host}");

    public static string Inbound(int port) => string.Create(CultureInfo.InvariantCulture, $"inbound|{port}||");

    public static string Listener(string address, int port) =>
        string.Create(CultureInfo.InvariantCulture, $"{address}_{port}");

    public static string HostPort(string host, int port) => string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");

    public static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
