// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer;

/// <summary>Where the API server listens and keeps its files.</summary>
public sealed record ApiServerOptions
{
    /// <summary>Socket for the node's own processes; whoever may open it is the administrator.</summary>
    public required string PlainSocket { get; init; }

    /// <summary>Socket with TLS, to which the host's port leads; not opened when null.</summary>
    public string? TlsSocket { get; init; }

    /// <summary>Database, certificate authority and the key of service-account tokens.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>A store that several servers share; null keeps the objects in a file in <see cref="DataDirectory"/>.</summary>
    public StoreLocation? Store { get; init; }

    /// <summary>Unix sockets that lead to the endpoints of <see cref="Store"/>, one each, where they cannot be reached directly.</summary>
    public IReadOnlyList<string> StoreSockets { get; init; } = [];

    /// <summary>The node agent's socket, for logs and exec.</summary>
    public string? NodeSocket { get; init; }

    /// <summary>Where service addresses come from.</summary>
    public IPNetwork ServiceNetwork { get; init; } = new(IPAddress.Parse("10.96.0.0"), 16);

    /// <summary>The usual second network.</summary>
    public static IPNetwork Version6 { get; } = new(IPAddress.Parse("fd00:10:96::"), 112);

    /// <summary>Where services have their addresses of the second family from; null for a cluster of one.</summary>
    public IPNetwork? SecondServiceNetwork { get; init; }

    /// <summary>The families of services, the usual one first.</summary>
    public IReadOnlyList<IPNetwork> ServiceNetworks => SecondServiceNetwork is { } second ? [ServiceNetwork, second] : [ServiceNetwork];

    /// <summary>Written at the start when both it and <see cref="ExternalUrl"/> are set.</summary>
    public string? KubeconfigPath { get; init; }

    /// <summary>How clients outside reach the TLS socket, for example https://127.0.0.1:6443.</summary>
    public string? ExternalUrl { get; init; }

    /// <summary>Reads one YAML document as JSON, or says what is wrong with it; bodies are JSON only when null.</summary>
    public Func<string, (JsonNode? Tree, string? Problem)>? ReadYaml { get; init; }

    /// <summary>Other names and addresses by which machines that join reach the TLS socket.</summary>
    public IReadOnlyList<string> ServingNames { get; init; } = [];

    /// <summary>What machines that joined may be led to: name → Unix socket.</summary>
    public IReadOnlyDictionary<string, string> Links { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string GitVersion { get; init; } = "v1.32.3+weft";
}
