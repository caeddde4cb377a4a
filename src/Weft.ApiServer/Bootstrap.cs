// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Net;
using System.Text.Json.Nodes;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Security;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer;

/// <summary>The objects that exist before anybody has created any.</summary>
internal static class Bootstrap
{
    private static readonly string[] _namespaces = ["default", "istio-system", "kube-node-lease", "kube-public", "kube-system"];

    public static void Run(ApiServices services)
    {
        foreach (var name in _namespaces)
        {
            var metadata = services.Namespaces.Metadata("", name);
            metadata["labels"] = new JsonObject { ["kubernetes.io/metadata.name"] = name };
            services.Namespaces.Ensure("namespaces", new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Namespace",
                ["metadata"] = metadata,
                ["spec"] = new JsonObject { ["finalizers"] = new JsonArray("kubernetes") },
                ["status"] = new JsonObject { ["phase"] = "Active" },
            });
        }

        // A crash between a namespace and its furniture leaves it bare: every start makes up for that.
        foreach (var item in services.Store.Snapshot("namespaces").Objects.Values.Where(item => !item.Deleting))
        {
            services.Namespaces.Furnish(item.Key.Name);
        }

        DefaultRoles.Ensure(services.Namespaces);
        new RoleAggregator(services.Store).Sweep();
        PriorityClasses(services);
        ApiService(services);
    }

    private static void PriorityClasses(ApiServices services)
    {
        foreach (var (name, (value, description)) in Priorities.System)
        {
            services.Namespaces.Ensure("priorityclasses.scheduling.k8s.io", new JsonObject
            {
                ["apiVersion"] = "scheduling.k8s.io/v1",
                ["kind"] = "PriorityClass",
                ["metadata"] = services.Namespaces.Metadata("", name),
                ["value"] = value,
                ["description"] = description,
                ["preemptionPolicy"] = "PreemptLowerPriority",
            });
        }
    }

    /// <summary>The first address of the service network, which belongs to the API server itself.</summary>
    public static IPAddress FirstAddress(IPNetwork network)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        var end = bytes.AsSpan(bytes.Length - 4);
        BinaryPrimitives.WriteUInt32BigEndian(end, BinaryPrimitives.ReadUInt32BigEndian(end) + 1);
        return new IPAddress(bytes);
    }

    private static void ApiService(ApiServices services)
    {
        var address = FirstAddress(services.Options.ServiceNetwork).ToString();
        var metadata = services.Namespaces.Metadata("default", "kubernetes");
        metadata["labels"] = new JsonObject { ["component"] = "apiserver", ["provider"] = "kubernetes" };
        services.Namespaces.Ensure("services", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Service",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject
            {
                ["clusterIP"] = address,
                ["clusterIPs"] = new JsonArray(address),
                ["internalTrafficPolicy"] = "Cluster",
                ["ipFamilies"] = new JsonArray("IPv4"),
                ["ipFamilyPolicy"] = "SingleStack",
                ["ports"] = new JsonArray(new JsonObject
                {
                    ["name"] = "https",
                    ["port"] = 443,
                    ["protocol"] = "TCP",
                    ["targetPort"] = 6443,
                }),
                ["sessionAffinity"] = "None",
                ["type"] = "ClusterIP",
            },
            ["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() },
        });
    }
}
