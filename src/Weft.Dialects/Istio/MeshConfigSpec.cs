// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>What the mesh's own configuration says; null for what it leaves to the defaults.</summary>
public sealed record MeshConfigSpec(bool? AllowAnyOutbound, int? ConnectTimeoutMs, int? DnsRefreshMs, bool? AutoMtls, LocalityPolicy? Localities)
{
    /// <summary>0 waits for ever.</summary>
    public int? InspectTimeoutMs { get; init; }

    public TcpKeepAlivePlan? TcpKeepAlive { get; init; }

    public HttpUpgrade? Upgrade { get; init; }

    public Retries? Retries { get; init; }

    public PathPlan? Path { get; init; }

    public EquatableArray<string>? TrustDomainAliases { get; init; }

    public bool? InboundToLoopback { get; init; }

    public ExportDefaults Exports { get; init; } = ExportDefaults.Everybody;

    /// <summary>The settings that the mesh was made with, and what is said here instead.</summary>
    public MeshSettings Over(MeshSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings with
        {
            AllowAnyOutbound = AllowAnyOutbound ?? settings.AllowAnyOutbound,
            ConnectTimeoutMs = ConnectTimeoutMs ?? settings.ConnectTimeoutMs,
            DnsRefreshMs = DnsRefreshMs ?? settings.DnsRefreshMs,
            AutoMtls = AutoMtls ?? settings.AutoMtls,
            Localities = Localities ?? settings.Localities,
            InspectTimeoutMs = InspectTimeoutMs ?? settings.InspectTimeoutMs,
            TcpKeepAlive = TcpKeepAlive ?? settings.TcpKeepAlive,
            Upgrade = Upgrade ?? settings.Upgrade,
            Retries = Retries ?? settings.Retries,
            Path = Path ?? settings.Path,
            TrustDomainAliases = TrustDomainAliases ?? settings.TrustDomainAliases,
            InboundToLoopback = InboundToLoopback ?? settings.InboundToLoopback,
            Exports = Exports,
        };
    }
}
