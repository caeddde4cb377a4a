// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>Connections that serve one tunnel each and no other.</summary>
internal sealed class OpaqueEndpointPool(PoolTable table, UpstreamTarget target, ClusterPlan cluster) : EndpointPool(table, target, cluster)
{
    private protected override UpstreamStream? Take(Exchange exchange, bool fresh, bool isWaiting, out Failure failure)
    {
        if (!MayOpen(isWaiting, out failure))
        {
            return null;
        }

        var made = new OpaqueUpstream(this, exchange);
        if (!Joins(made.Connect(Table.Connector, out var problem), problem, out failure))
        {
            return null;
        }

        Table.WatchIdle();
        return made;
    }
}
