// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Dialects.Kubernetes;
using Weft.Model.World;
using Xunit;

namespace Weft.Dialects.Tests.Kubernetes;

public sealed class EndpointJoinTests
{
    private static readonly Service _service = Parse("""
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
         "spec": {"clusterIP": "10.96.0.9", "ports": [{"name": "http", "port": 80, "targetPort": "web"}, {"name": "other", "port": 81}]}}
        """).Service!;

    private static readonly Workload _pod = Parse("""
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"},
         "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"name": "web", "containerPort": 3000}]}]},
         "status": {"podIP": "10.244.0.3", "phase": "Running"}}
        """).Workload!;

    [Fact]
    public void Slices_of_the_service_become_endpoints_of_the_port_of_their_name()
    {
        EndpointSliceSpec[] slices =
        [
            Slice("shop", "web", "10.244.0.4", "10.244.0.3"),
            Slice("shop", "web", "10.244.0.3"),
            Slice("shop", "other", "10.244.0.5"),
            Slice("elsewhere", "web", "10.244.0.6"),
        ];

        var endpoints = EndpointJoin.Of(_service, slices, (ns, name) => (ns, name) == ("shop", "web-1") ? _pod : null);

        Assert.Equal([80, 81], endpoints.Select(port => port.ServicePort));
        Assert.Equal(["10.244.0.3", "10.244.0.4"], endpoints[0].Endpoints.Select(endpoint => endpoint.Address));
        Assert.All(endpoints[0].Endpoints, endpoint => Assert.Equal(3000, endpoint.Port));
        Assert.All(endpoints[0].Endpoints, endpoint => Assert.Same(_pod, endpoint.Workload));
        Assert.Empty(endpoints[1].Endpoints);
    }

    [Fact]
    public void A_target_port_is_a_number_or_the_name_of_a_port_of_the_workload()
    {
        Assert.Equal(3000, TargetPorts.Resolve(_service.Ports[0], _pod));
        Assert.Equal(81, TargetPorts.Resolve(_service.Ports[1], _pod));
        Assert.Null(TargetPorts.Resolve(_service.Ports[0] with { TargetPort = "admin" }, _pod));
    }

    private static EndpointSliceSpec Slice(string ns, string service, params string[] addresses) =>
        new(ns, "s", service, [new EndpointSlicePort("http", 3000)], [.. addresses.Select(address => new SliceEndpoint(address, true, "web-1"))]);

    private static ParsedObject Parse(string json)
    {
        var parsed = Dialects.ParseObject((JsonObject)JsonNode.Parse(json)!);
        Assert.Empty(parsed.Diagnostics);
        return parsed;
    }
}
