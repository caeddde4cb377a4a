// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Weft.Model.Plan;

namespace Weft.Proxy.Telemetry;

/// <summary>What distinguishes two series of one proxy.</summary>
/// <param name="Host">Stands for the service where the cluster belongs to none; else empty.</param>
/// <param name="Code">Response code; 0 for TCP.</param>
/// <param name="GrpcStatus">-1 for none.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SeriesKey(
    TrafficDirection Direction,
    SeriesProtocol Protocol,
    bool IsMutualTls,
    WorkloadNamePlan? Peer,
    string PeerPrincipal,
    string OwnPrincipal,
    ServiceNamePlan? Service,
    string Cluster,
    string Host,
    int Code,
    int GrpcStatus,
    string Flags)
{
    /// <summary>True if both are made of the very same objects: cheap, and enough to recognise the next request of a connection.</summary>
    public bool IsSameAs(in SeriesKey other) =>
        ReferenceEquals(Peer, other.Peer) && ReferenceEquals(Cluster, other.Cluster) && Code == other.Code
        && ReferenceEquals(PeerPrincipal, other.PeerPrincipal) && ReferenceEquals(Flags, other.Flags)
        && ReferenceEquals(Host, other.Host) && ReferenceEquals(Service, other.Service)
        && ReferenceEquals(OwnPrincipal, other.OwnPrincipal) && GrpcStatus == other.GrpcStatus
        && Protocol == other.Protocol && IsMutualTls == other.IsMutualTls && Direction == other.Direction;

    /// <summary>A place in a small cache; different objects of equal value may get different places, which costs only time.</summary>
    public int Slot(int slots)
    {
        var hash = (uint)RuntimeHelpers.GetHashCode(Peer) ^ ((uint)RuntimeHelpers.GetHashCode(Cluster) * 31);
        return (int)((hash ^ ((uint)Code * 131) ^ ((uint)RuntimeHelpers.GetHashCode(Flags) * 7)) % (uint)slots);
    }
}

/// <summary>What request_protocol says.</summary>
internal enum SeriesProtocol : byte
{
    Http,
    Grpc,
    Tcp,
}
