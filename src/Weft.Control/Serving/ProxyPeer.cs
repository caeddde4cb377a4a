// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Weft.Control.Authority;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Control.Serving;

/// <summary>A proxy that has proved who it is.</summary>
/// <param name="Caller">As its token says.</param>
/// <param name="Node">Its name, checked against the token.</param>
/// <param name="Message">What else it says about itself.</param>
internal sealed record ProxyPeer(CallerIdentity Caller, NodeId Node, Node Message)
{
    public string Cluster => NodeId.Claim(Message, "clusterId", "CLUSTER_ID") ?? "Kubernetes";

    /// <summary>Whom the plan is for, as it says itself: for the moment until the API shows its pod with an address.</summary>
    public Workload SelfDescription(DateTimeOffset connectedAt)
    {
        var name = NodeId.Claim(Message, "workload", "WORKLOAD_NAME") ?? Node.Pod;
        var app = NodeId.Claim(Message, "app", "APP") ?? "";
        return new Workload(
            Node.Pod,
            Node.Namespace,
            Node.Address,
            NodeId.Labels(Message),
            Caller.Id.ServiceAccount,
            true,
            new WorkloadNamePlan(
                name,
                Node.Namespace,
                NodeId.Claim(Message, "canonicalName", "CANONICAL_NAME") ?? (app.Length > 0 ? app : name),
                NodeId.Claim(Message, "canonicalRevision", "CANONICAL_REVISION") ?? "latest",
                Cluster,
                Caller.Id.ServiceAccount,
                app,
                NodeId.Claim(Message, "version", "VERSION") ?? ""),
            [],
            connectedAt);
    }
}
