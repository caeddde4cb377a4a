// SPDX-License-Identifier: Apache-2.0

using Weft.Control.Authority;
using Weft.Control.Serving;
using Weft.Control.Status;
using Weft.Model.World;

namespace Weft.Control;

/// <summary>Where the control plane finds and serves things, and how it behaves.</summary>
/// <param name="ApiEndpoint">The Kubernetes API: <c>unix:/path</c> or <c>https://host:port</c>.</param>
/// <param name="XdsSocket">Path of the Unix socket that proxies connect to.</param>
/// <param name="ControlSocket">Path of the Unix socket of the debug API.</param>
/// <param name="DataFolder">Holds <c>ca/</c> with the root key.</param>
public sealed record ControlOptions(string ApiEndpoint, string XdsSocket, string ControlSocket, string DataFolder)
{
    /// <summary>Trust domain, domain suffix, cluster name and the like.</summary>
    public MeshSettings Settings { get; init; } = MeshSettings.Default;

    /// <summary>Changes that follow each other within this time are compiled together.</summary>
    public TimeSpan DebounceQuiet { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>A change never waits longer than this for others.</summary>
    public TimeSpan DebounceMax { get; init; } = TimeSpan.FromMilliseconds(200);

    public AuthorityLimits Authority { get; init; } = AuthorityLimits.Default;

    public ServingLimits Serving { get; init; } = ServingLimits.Default;

    public StatusLimits Status { get; init; } = StatusLimits.Default;

    /// <summary>What it says about itself to proxies and people.</summary>
    public string Version { get; init; } = "0.1.0";
}
