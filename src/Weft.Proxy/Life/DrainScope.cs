// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Life;

/// <summary>Whose connections are drained. A workload that ends still needs its way out, so its own calls are drained last.</summary>
internal enum DrainScope
{
    None,
    Inbound,
    All,
}

/// <summary>What a scope covers.</summary>
internal static class DrainScopes
{
    internal static bool Covers(this DrainScope scope, TrafficDirection direction) =>
        scope == DrainScope.All || (scope == DrainScope.Inbound && direction == TrafficDirection.Inbound);
}
