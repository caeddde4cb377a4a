// SPDX-License-Identifier: Apache-2.0

using Weft.Control.Registry;
using Weft.Dialects.Kubernetes;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Control.Tests.Registry;

public sealed class WorldRegistryTests
{
    private readonly WorldRegistry _registry = new(MeshSettings.Default);

    [Fact]
    public void Endpoints_of_a_port_come_from_the_slice_port_of_its_name()
    {
        _registry.SetService("shop", "reviews", Service("reviews", ("http", 80), ("admin", 9000)));
        _registry.SetSlice("shop", "reviews-1", Slice("reviews", [("http", 8080), ("admin", 9999)], ("10.0.0.2", true, "pod-b"), ("10.0.0.1", false, "pod-a")));
        _registry.SetWorkload("shop", "pod-a", Workload("pod-a", "10.0.0.1"));

        var world = _registry.Build();

        Assert.Equal([("reviews.shop.svc.cluster.local", 80), ("reviews.shop.svc.cluster.local", 9000)], world.Endpoints.Select(each => (each.ServiceHost, each.ServicePort)));
        Assert.Equal(["10.0.0.1:8080 False pod-a", "10.0.0.2:8080 True -"], Show(world, 80));
        Assert.Equal(["10.0.0.1:9999 False pod-a", "10.0.0.2:9999 True -"], Show(world, 9000));
    }

    [Fact]
    public void A_pod_that_comes_after_its_slice_is_still_known()
    {
        _registry.SetService("shop", "reviews", Service("reviews", ("http", 80)));
        _registry.SetSlice("shop", "s", Slice("reviews", [("http", 8080)], ("10.0.0.1", true, "pod-a")));
        Assert.Equal(["10.0.0.1:8080 True -"], Show(_registry.Build(), 80));

        _registry.SetWorkload("shop", "pod-a", Workload("pod-a", "10.0.0.1"));
        Assert.Equal(["10.0.0.1:8080 True pod-a"], Show(_registry.Build(), 80));

        _registry.SetWorkload("shop", "pod-a", null);
        Assert.Equal(["10.0.0.1:8080 True -"], Show(_registry.Build(), 80));
    }

    [Fact]
    public void An_address_in_two_slices_is_one_endpoint_and_ready_if_one_says_so()
    {
        _registry.SetService("shop", "reviews", Service("reviews", ("http", 80)));
        _registry.SetSlice("shop", "old", Slice("reviews", [("http", 8080)], ("10.0.0.1", false, "p")));
        _registry.SetSlice("shop", "new", Slice("reviews", [("http", 8080)], ("10.0.0.1", true, "p")));
        Assert.Equal(["10.0.0.1:8080 True -"], Show(_registry.Build(), 80));

        _registry.SetSlice("shop", "old", null);
        _registry.SetWorkload("shop", "p", Workload("p", "10.0.0.1"));
        Assert.Equal(["10.0.0.1:8080 True p"], Show(_registry.Build(), 80));
    }

    [Theory]
    [InlineData("10.96.0.1 fd00:10:96::1", "10.0.0.1:8080 True -")]
    [InlineData("fd00:10:96::1 10.96.0.1", "fd00::1:8080 True -")]
    [InlineData("fd00:10:96::1", "10.0.0.1:8080 True -,fd00::1:8080 True -")]
    public void A_service_of_both_families_is_called_by_the_first_one(string addresses, string endpoints)
    {
        _registry.SetService("shop", "reviews", Service("reviews", ("http", 80)) with { Addresses = [.. addresses.Split(' ')] });
        _registry.SetSlice("shop", "four", Slice("reviews", [("http", 8080)], ("10.0.0.1", true, "p")));
        _registry.SetSlice("shop", "six", Slice("reviews", [("http", 8080)], ("fd00::1", true, "p")));
        Assert.Equal(endpoints, string.Join(',', Show(_registry.Build(), 80)));
    }

    [Fact]
    public void A_service_of_both_families_whose_first_has_no_endpoints_is_called_by_the_other()
    {
        _registry.SetService("shop", "reviews", Service("reviews", ("http", 80)) with { Addresses = ["10.96.0.1", "fd00:10:96::1"] });
        _registry.SetSlice("shop", "six", Slice("reviews", [("http", 8080)], ("fd00::1", true, "p")));
        Assert.Equal(["fd00::1:8080 True -"], Show(_registry.Build(), 80));
    }

    [Fact]
    public void A_pod_runs_where_its_node_stands_whichever_comes_first()
    {
        _registry.SetService("shop", "reviews", Service("reviews", ("http", 80)));
        _registry.SetSlice("shop", "s", Slice("reviews", [("http", 8080)], ("10.0.0.1", true, "p"), ("10.0.0.2", true, "q")));
        _registry.SetWorkload("shop", "p", Workload("p", "10.0.0.1") with { Node = "n1" });
        _registry.SetNode("n1", "eu/a");
        _registry.SetWorkload("shop", "q", Workload("q", "10.0.0.2") with { Node = "n1" });
        Assert.Equal(["eu/a", "eu/a"], Places());

        _registry.SetNode("n1", "eu/b");
        Assert.Equal(["eu/b", "eu/b"], Places());
        Assert.Equal("eu/b", _registry.FindWorkload("shop", "p")!.Locality);

        var before = _registry.Build();
        _registry.SetNode("n2", "us");
        Assert.Same(before, _registry.Build());

        _registry.SetNode("n1", null);
        Assert.Equal(["", ""], Places());

        IEnumerable<string> Places() => _registry.Build().Endpoints[0].Endpoints.Select(e => e.Workload!.Locality);
    }

    [Fact]
    public void Deletions_leave_nothing()
    {
        _registry.SetService("shop", "reviews", Service("reviews", ("http", 80)));
        _registry.SetSlice("shop", "s", Slice("reviews", [("http", 8080)], ("10.0.0.1", true, "p")));
        _registry.SetWorkload("shop", "p", Workload("p", "10.0.0.1"));
        _registry.Build();
        _registry.SetSlice("shop", "s", null);
        Assert.Empty(Show(_registry.Build(), 80));
        _registry.SetService("shop", "reviews", null);
        _registry.SetWorkload("shop", "p", null);
        var world = _registry.Build();
        Assert.Empty(world.Services);
        Assert.Empty(world.Workloads);
        Assert.Empty(world.Endpoints);
    }

    [Fact]
    public void A_pod_without_address_and_a_udp_port_serve_nobody()
    {
        _registry.SetService("kube-system", "dns", Service("dns", ("dns", 53)) with
        {
            Ports = [new ServicePort("dns", 53, "53", PortProtocol.Udp), new ServicePort("dns-tcp", 53, "53", PortProtocol.Tcp)],
        });
        _registry.SetWorkload("shop", "p", Workload("p", ""));
        var world = _registry.Build();
        Assert.Empty(world.Workloads);
        Assert.Single(world.Endpoints);
    }

    [Fact]
    public void The_work_of_a_change_is_that_of_the_services_it_touches()
    {
        for (var i = 0; i < 1000; i++)
        {
            _registry.SetService("shop", $"s{i}", Service($"s{i}", ("http", 80)));
            _registry.SetSlice("shop", $"s{i}-1", Slice($"s{i}", [("http", 8080)], ($"10.0.{i / 250}.{i % 250}", true, $"p{i}")));
        }

        var first = _registry.Build();
        Assert.Same(first, _registry.Build());
        var before = _registry.Rebuilds;
        _registry.SetWorkload("shop", "p7", Workload("p7", "10.0.0.7"));
        _registry.Build();
        Assert.Equal(1, _registry.Rebuilds - before);
    }

    [Fact]
    public void The_order_of_arrival_does_not_show()
    {
        var other = new WorldRegistry(MeshSettings.Default);
        var steps = new List<Action<WorldRegistry>>();
        for (var i = 0; i < 20; i++)
        {
            var name = $"s{i}";
            var address = $"10.0.0.{i}";
            steps.Add(registry => registry.SetService("shop", name, Service(name, ("http", 80))));
            steps.Add(registry => registry.SetSlice("shop", name, Slice(name, [("http", 8080)], (address, true, $"p-{name}"), ("10.1.0.1", true, ""))));
            steps.Add(registry => registry.SetWorkload("shop", $"p-{name}", Workload($"p-{name}", address)));
        }

        steps.ForEach(step => step(_registry));
        var shuffled = steps.ToArray();
        new Random(5).Shuffle(shuffled);
        foreach (var step in shuffled)
        {
            step(other);
            other.Build();
        }

        Assert.Equal(_registry.Build(), other.Build());
    }

    private static IEnumerable<string> Show(MeshWorld world, int port) => world.Endpoints
        .Where(each => each.ServicePort == port)
        .SelectMany(each => each.Endpoints)
        .Select(endpoint => $"{endpoint.Address}:{endpoint.Port} {endpoint.Ready} {endpoint.Workload?.Name ?? "-"}");

    private static Service Service(string name, params (string Name, int Port)[] ports) => new(
        name,
        "shop",
        $"{name}.shop.svc.cluster.local",
        ["10.96.0.1"],
        [.. ports.Select(port => new ServicePort(port.Name, port.Port, "x", PortProtocol.Http))],
        false);

    private static EndpointSliceSpec Slice(
        string service, (string Name, int Port)[] ports, params (string Address, bool Ready, string Pod)[] endpoints) => new(
        "shop",
        "slice",
        service,
        [.. ports.Select(port => new EndpointSlicePort(port.Name, port.Port))],
        [.. endpoints.Select(endpoint => new SliceEndpoint(endpoint.Address, endpoint.Ready, endpoint.Pod))]);

    private static Workload Workload(string name, string address) => new(
        name,
        "shop",
        address,
        [],
        "default",
        true,
        new WorkloadNamePlan(name, "shop", name, "latest", "Kubernetes", "default", name, ""),
        [],
        DateTimeOffset.UnixEpoch);
}
