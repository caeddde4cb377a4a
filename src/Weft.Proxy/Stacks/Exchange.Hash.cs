// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Stacks;

/// <summary>What of the request decides over its endpoint, in clusters that balance by hash.</summary>
internal sealed partial class Exchange
{
    private MadeCookie _cookie;
    private ulong? _hash;
    private bool _isHashed;

    /// <summary>A cookie that the response must set; none in most cases.</summary>
    internal ref readonly MadeCookie Cookie => ref _cookie;

    /// <summary>The same for every try; null where nothing was found, or nobody asks.</summary>
    internal ulong? HashFor(ClusterPlan cluster)
    {
        if (!_isHashed && cluster.Balancer is LoadBalancerKind.RingHash or LoadBalancerKind.Maglev)
        {
            _isHashed = true;
            _hash = Route?.Actions.HashPolicies?.Hash(
                new RouteRequest(Request, RequestBytes, "http"u8), Client.PeerAddress, Loop.Random, ref _cookie);
        }

        return _hash;
    }

    private void OpenHash()
    {
        _cookie = default;
        _hash = null;
        _isHashed = false;
    }
}
