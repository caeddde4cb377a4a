// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Telemetry;

/// <summary>
/// What is counted and logged of one request, filled in by the data path at the request's end. Texts stay in the data path's buffers.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal ref struct RequestRecord()
{
    /// <summary>When the first byte of the head came.</summary>
    public DateTime StartUtc { get; set; }

    public TimeSpan Duration { get; set; }

    /// <summary>Outbound reports as source, inbound as destination.</summary>
    public TrafficDirection Direction { get; set; }

    /// <summary>0 if nobody was left to answer.</summary>
    public int Status { get; set; }

    /// <summary>Value of grpc-status; -1 if there was none.</summary>
    public int GrpcStatus { get; set; } = -1;

    /// <summary>The request's content type says gRPC.</summary>
    public bool IsGrpc { get; set; }

    /// <summary>Envoy's response flags, <c>-</c> for none.</summary>
    public string Flags { get; set; } = "-";

    /// <summary>Envoy's response code details.</summary>
    public string Details { get; set; } = "";

    public string ConnectionTermination { get; set; } = "";

    /// <summary>The transport's own words about a failure.</summary>
    public string TransportFailure { get; set; } = "";

    public ReadOnlySpan<byte> Method { get; set; }

    /// <summary>Path and query as the client sent them.</summary>
    public ReadOnlySpan<byte> Path { get; set; }

    public ReadOnlySpan<byte> Authority { get; set; }

    public ReadOnlySpan<byte> ForwardedFor { get; set; }

    public ReadOnlySpan<byte> UserAgent { get; set; }

    public ReadOnlySpan<byte> RequestId { get; set; }

    public byte MinorVersion { get; set; } = 1;

    /// <summary>The client spoke HTTP/2.</summary>
    public bool IsHttp2 { get; set; }

    /// <summary>Body bytes from the client; the heads are counted apart because only metrics want them.</summary>
    public long RequestBytes { get; set; }

    public long ResponseBytes { get; set; }

    /// <summary>gRPC messages in both directions; 0 where the request is not gRPC.</summary>
    public long RequestMessages { get; set; }

    public long ResponseMessages { get; set; }

    public int RequestHeadBytes { get; set; }

    public int ResponseHeadBytes { get; set; }

    /// <summary>Time until the upstream's head; -1 if there was none.</summary>
    public long UpstreamServiceMs { get; set; } = -1;

    /// <summary>The connection that carried it.</summary>
    public ConnectionFactsRecord Connection { get; set; } = new();

    /// <summary>The route's name; empty if none was found.</summary>
    public string Route { get; set; } = "";
}

/// <summary>What is counted and logged of the connections on both sides of a request or tunnel.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct ConnectionFactsRecord()
{
    /// <summary>How the other side's workload names itself; null if that is not known.</summary>
    public WorkloadNamePlan? Peer { get; set; }

    /// <summary>The other side's identity from its certificate; empty without mutual TLS.</summary>
    public string PeerPrincipal { get; set; } = "";

    /// <summary>This side's identity as the other side saw it; empty without mutual TLS.</summary>
    public string OwnPrincipal { get; set; } = "";

    /// <summary>The connection between the two proxies was mutual TLS.</summary>
    public bool IsMutualTls { get; set; }

    /// <summary>Null for clusters that belong to no service.</summary>
    public ServiceNamePlan? Service { get; set; }

    /// <summary>Cluster name; empty if none was chosen.</summary>
    public string Cluster { get; set; } = "";

    public string ServerName { get; set; } = "";

    public IpEndpoint UpstreamHost { get; set; }

    public IpEndpoint UpstreamLocal { get; set; }

    public IpEndpoint DownstreamLocal { get; set; }

    public IpEndpoint DownstreamRemote { get; set; }
}

/// <summary>What is logged of one opaque connection at its end.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct TunnelRecord()
{
    public DateTime StartUtc { get; set; }

    public TimeSpan Duration { get; set; }

    public TrafficDirection Direction { get; set; }

    public string Flags { get; set; } = "-";

    public string Details { get; set; } = "";

    public string ConnectionTermination { get; set; } = "";

    public string TransportFailure { get; set; } = "";

    /// <summary>From the client.</summary>
    public long ReceivedBytes { get; set; }

    /// <summary>To the client.</summary>
    public long SentBytes { get; set; }

    public ConnectionFactsRecord Connection { get; set; } = new();
}
