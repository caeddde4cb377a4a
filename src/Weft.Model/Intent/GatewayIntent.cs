// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Model.Intent;

/// <summary>What the proxies at the mesh's edge take in (Istio's Gateway); routes say where it goes.</summary>
/// <param name="Origin">The object it came from.</param>
/// <param name="CreatedAt">The oldest of several for one port decides what it speaks.</param>
/// <param name="Selector">The workloads that serve it, in every namespace.</param>
/// <param name="Servers">In the order written.</param>
public sealed record GatewayIntent(
    Origin Origin,
    DateTimeOffset CreatedAt,
    LabelSelector Selector,
    EquatableArray<GatewayServer> Servers) : MeshIntent(Origin, CreatedAt)
{
    /// <summary>As routes name it: <c>namespace/name</c>.</summary>
    public string FullName => $"{Origin.Namespace}/{Origin.Name}";
}

/// <summary>What is spoken at a gateway's port.</summary>
public enum ServerProtocol
{
    /// <summary>HTTP in any version, without TLS.</summary>
    Http,

    /// <summary>HTTP in any version, over TLS that ends here or is passed through.</summary>
    Https,

    /// <summary>TLS around anything else.</summary>
    Tls,

    /// <summary>Anything.</summary>
    Tcp,
}

/// <summary>One port of a gateway.</summary>
/// <param name="Name">Of the port; unique in its object.</param>
/// <param name="Port">As clients of the gateway's service know it, 1 to 65535.</param>
/// <param name="Protocol">What is spoken.</param>
/// <param name="Bind">The address it is taken at; empty for all.</param>
/// <param name="Hosts">Which hosts it is for.</param>
/// <param name="Tls">Null without TLS.</param>
/// <param name="RedirectsToHttps">Every request is answered 301 with the same address in https.</param>
/// <param name="Origin">Where it was written.</param>
public sealed record GatewayServer(
    string Name,
    int Port,
    ServerProtocol Protocol,
    string Bind,
    EquatableArray<GatewayHost> Hosts,
    ServerTls? Tls,
    bool RedirectsToHttps,
    Origin Origin);

/// <summary>A host of a gateway, exact or a wildcard, and the namespace whose routes it may have; <c>*</c> for any.</summary>
public sealed record GatewayHost(string Namespace, string Host);

/// <summary>Where TLS ends and whose certificate a client must show.</summary>
public enum ServerTlsMode
{
    /// <summary>Goes on to a server chosen by its server name.</summary>
    Passthrough,

    /// <summary>Goes on to the cluster that its server name spells, over mutual TLS of the mesh.</summary>
    AutoPassthrough,

    /// <summary>Ends here; clients need no certificate.</summary>
    Simple,

    /// <summary>Ends here; clients must show a certificate.</summary>
    Mutual,

    /// <summary>Ends here; clients may show a certificate.</summary>
    OptionalMutual,

    /// <summary>Ends here with the gateway's own identity; clients are workloads of the mesh.</summary>
    IstioMutual,
}

/// <summary>TLS of a gateway's port.</summary>
/// <param name="Mode">Where it ends.</param>
/// <param name="Certificates">The server's own, one for each kind of key; secrets lie in the namespace of the gateway's workload.</param>
public sealed record ServerTls(ServerTlsMode Mode, EquatableArray<CertificateSource> Certificates)
{
    /// <summary>Which clients are accepted; null where they are not asked for a certificate.</summary>
    public ValidationPlan? Clients { get; init; }

    /// <summary>Versions and ciphers.</summary>
    public TlsParametersPlan Parameters { get; init; } = TlsParametersPlan.Default;
}
