// SPDX-License-Identifier: Apache-2.0

using Weft.Local.Network;

namespace Weft.Local.Capture;

/// <summary>
/// Leads a pod's TCP connections to its sidecar: inbound to 15006, outbound to 15001. What is set up stays when the sidecar
/// dies: connections are refused then, and nothing leaks around it.
/// </summary>
internal interface ITrafficCapture
{
    /// <summary>How status output calls it.</summary>
    string Name { get; }

    /// <summary>Sets the pod's rules, all or none; calling it again replaces them.</summary>
    Task ApplyAsync(PodNetwork network, CaptureSettings settings, CancellationToken ct);
}
