// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Identity;

namespace Weft.Control.Authority;

/// <summary>Who a token says its bearer is. The pod is empty for tokens that are bound to none.</summary>
public sealed record CallerIdentity(SpiffeId Id, string Pod, string PodUid)
{
    public override string ToString() => Pod.Length == 0 ? Id.ToString() : $"{Id} (pod '{Pod}')";
}
