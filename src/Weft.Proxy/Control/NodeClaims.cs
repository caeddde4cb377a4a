// SPDX-License-Identifier: Apache-2.0

using Weft.Wire.Ads;

namespace Weft.Proxy.Control;

/// <summary>The metadata with which the proxy names itself to the control plane and in its config dump, under Istio's keys.</summary>
internal static class NodeClaims
{
    /// <summary>The node of the stream's first request: who speaks, and in which version.</summary>
    public static Envoy.Config.Core.V3.Node Message(NodeSettings node) =>
        NodeMessage.Create(node.Id, node.Cluster, Of(node.Metadata), ProxyVersion.Text);

    public static Dictionary<string, string> Of(NodeMetadata node)
    {
        var claims = Usual(node);
        if (node.AutoRegisterGroup.Length > 0)
        {
            claims["AUTO_REGISTER_GROUP"] = node.AutoRegisterGroup;
        }

        return claims;
    }

    private static Dictionary<string, string> Usual(NodeMetadata node) => new(StringComparer.Ordinal)
    {
        ["NAME"] = node.Name,
        ["NAMESPACE"] = node.Namespace,
        ["WORKLOAD_NAME"] = node.Workload,
        ["SERVICE_ACCOUNT"] = node.ServiceAccount,
        ["CLUSTER_ID"] = node.ClusterId,
        ["INSTANCE_IPS"] = node.PodIp,
        ["ISTIO_VERSION"] = ProxyVersion.Text,
    };
}
