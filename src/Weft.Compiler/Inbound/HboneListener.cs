// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Inbound;

/// <summary>Where a workload takes HBONE: a port of its own, which capture leaves alone. Whatever the ports' own modes, peers are authenticated.</summary>
internal static class HboneListener
{
    public static ListenerPlan Compile(MeshSettings settings, Workload workload, WorkloadAccess access)
    {
        var tls = new DownstreamTlsPlan(true, settings.TrustDomains, ["h2"]);
        var chain = new ChainPlan(Names.HboneListener, ChainMatchPlan.Any, tls, null, null)
        {
            Hbone = new HboneChainPlan(Names.HboneListener, [workload.Address, .. workload.MoreAddresses], Names.InboundPassthrough, Defaults.IdleTimeoutMs),
            Authorization = access.For(isHttp: false),
        };
        return new ListenerPlan(
            Names.HboneListener, Names.AnyAddress, Names.HbonePort, TrafficDirection.Inbound, true, false, false, false, 0, [chain], null)
        {
            MoreAddresses = Names.BesideAnyAddress(workload),
        };
    }
}
