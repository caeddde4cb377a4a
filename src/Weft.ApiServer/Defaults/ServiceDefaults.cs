// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Defaults;

/// <summary>Defaults of services; addresses and node ports come from the allocator.</summary>
internal static class ServiceDefaults
{
    public static void Apply(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec.Missing("type", "ClusterIP");
        spec.Missing("sessionAffinity", "None");
        if (spec.Text("sessionAffinity") is "ClientIP")
        {
            spec.Child("sessionAffinityConfig").Child("clientIP").Missing("timeoutSeconds", 10800);
        }

        foreach (var port in spec["ports"].Items())
        {
            port.Missing("protocol", "TCP");
            if (port["targetPort"] is null or JsonValue && IsUnset(port["targetPort"]))
            {
                port["targetPort"] = port["port"]?.DeepClone();
            }
        }

        var type = spec.Text("type");
        if (type is not "ExternalName")
        {
            spec.Missing("internalTrafficPolicy", "Cluster");
        }

        if (type is "NodePort" or "LoadBalancer")
        {
            spec.Missing("externalTrafficPolicy", "Cluster");
        }
        else
        {
            spec.Remove("externalTrafficPolicy");
        }

        if (type is "LoadBalancer")
        {
            spec.Missing("allocateLoadBalancerNodePorts", true);
        }
        else
        {
            spec.Remove("allocateLoadBalancerNodePorts");
        }

        tree.Child("status").Child("loadBalancer");
    }

    private static bool IsUnset(JsonNode? value) => value is null || value.Number() == 0 || value.Text() is "";
}
