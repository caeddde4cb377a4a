// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

public sealed class ExplainTests
{
    [Fact]
    public void The_reasons_name_every_decision_and_the_objects_that_made_them()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Service("reviews", 80, pods: [mesh.Pod("reviews-1", labels: "version=v1")]);
        mesh.Destination(Host("reviews"), subsets: [Subset("v1", "version=v1"), Subset("v2", "version=v2")]);
        mesh.Route(
            Host("reviews"),
            Rule([Path(TextMatchKind.Prefix, "/a")], To(Host("nowhere"))),
            Rule(To(Host("reviews"), "v1", 9), To(Host("reviews"), "v2", 1)));
        var walk = mesh.From(client).Send("reviews");
        Assert.Equal(
            [
                "listener: 0.0.0.0_80",
                "chain: http",
                "virtual host: reviews.shop.svc.cluster.local:80",
                "route: number 2 of 2  (VirtualService/shop/rule)",
                "cluster: outbound|80|v1|reviews.shop.svc.cluster.local, 9 of 10, LeastRequest, mutual TLS where the endpoint takes it  (DestinationRule/shop/v1)",
                "endpoints: 1 of 1 ready",
                "cluster: outbound|80|v2|reviews.shop.svc.cluster.local, 1 of 10, LeastRequest, mutual TLS where the endpoint takes it  (DestinationRule/shop/v2)",
                "endpoints: none is ready: 503, flag UH",
            ],
            walk.Reasons.Select(r => r.ToString()));
        Assert.Contains(mesh.From(client).Send("reviews", "/a").Reasons, r => r.Fact.EndsWith("does not exist: 503, flag NC", StringComparison.Ordinal));
    }
}
