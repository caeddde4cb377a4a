// SPDX-License-Identifier: Apache-2.0

using Weft.Wire;

namespace Weft.Control.Serving;

/// <summary>What one proxy must do, ready to be sent.</summary>
/// <param name="Resources">As they travel.</param>
/// <param name="Snapshot">The number of the snapshot it was compiled from.</param>
/// <param name="ChangedAt">When the first change came in that it answers; null for the plan of a proxy that has just connected.</param>
internal sealed record ProxyPush(EncodedPlan Resources, long Snapshot, DateTimeOffset? ChangedAt);
