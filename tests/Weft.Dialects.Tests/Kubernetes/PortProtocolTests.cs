// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Model.World;
using Xunit;

namespace Weft.Dialects.Tests.Kubernetes;

public sealed class PortProtocolTests
{
    [Theory]
    [InlineData("http", PortProtocol.Http)]
    [InlineData("http-web", PortProtocol.Http)]
    [InlineData("HTTP-web", PortProtocol.Http)]
    [InlineData("http2", PortProtocol.Http2)]
    [InlineData("http2-x", PortProtocol.Http2)]
    [InlineData("grpc", PortProtocol.Grpc)]
    [InlineData("grpc-api", PortProtocol.Grpc)]
    [InlineData("grpc-web", PortProtocol.Grpc)]
    [InlineData("grpc-web-x", PortProtocol.Grpc)]
    [InlineData("https", PortProtocol.Tls)]
    [InlineData("tls-x", PortProtocol.Tls)]
    [InlineData("tcp-x", PortProtocol.Tcp)]
    [InlineData("mysql", PortProtocol.Tcp)]
    [InlineData("mongo-x", PortProtocol.Tcp)]
    [InlineData("redis", PortProtocol.Tcp)]
    [InlineData("httpx", PortProtocol.Auto)]
    [InlineData("web-http", PortProtocol.Auto)]
    [InlineData("metrics", PortProtocol.Auto)]
    [InlineData("", PortProtocol.Auto)]
    public void The_first_part_of_the_name_says_what_is_spoken(string name, PortProtocol expected) =>
        Assert.Equal(expected, PortProtocols.Of("", name, 8080, "TCP"));

    [Theory]
    [InlineData("kubernetes.io/h2c", PortProtocol.Http2)]
    [InlineData("kubernetes.io/ws", PortProtocol.Http)]
    [InlineData("kubernetes.io/wss", PortProtocol.Tls)]
    [InlineData("linkerd.io/tcp", PortProtocol.Tcp)]
    [InlineData("linkerd.io/opaque", PortProtocol.Tcp)]
    [InlineData("http", PortProtocol.Http)]
    [InlineData("HTTP2", PortProtocol.Http2)]
    [InlineData("grpc", PortProtocol.Grpc)]
    [InlineData("https", PortProtocol.Tls)]
    [InlineData("mysql", PortProtocol.Tcp)]
    [InlineData("example.com/own", PortProtocol.Auto)]
    public void An_app_protocol_replaces_the_name_even_where_nobody_knows_it(string appProtocol, PortProtocol expected) =>
        Assert.Equal(expected, PortProtocols.Of(appProtocol, expected == PortProtocol.Tcp ? "http" : "tcp", 8080, "TCP"));

    [Theory]
    [InlineData(25)]
    [InlineData(53)]
    [InlineData(587)]
    [InlineData(3306)]
    [InlineData(4444)]
    [InlineData(5432)]
    [InlineData(6379)]
    [InlineData(9300)]
    [InlineData(11211)]
    [InlineData(27017)]
    public void Well_known_ports_are_opaque_unless_somebody_says_otherwise(int port)
    {
        Assert.Equal(PortProtocol.Tcp, PortProtocols.Of("", "", port, "TCP"));
        Assert.Equal(PortProtocol.Tcp, PortProtocols.Of("", "db", port, ""));
        Assert.Equal(PortProtocol.Http, PortProtocols.Of("", "http", port, "TCP"));
        Assert.Equal(PortProtocol.Http2, PortProtocols.Of("kubernetes.io/h2c", "", port, "TCP"));
        Assert.Equal(PortProtocol.Auto, PortProtocols.Of("", "", port + 1, "TCP"));
    }

    [Fact]
    public void A_pod_lists_its_opaque_ports_by_number_range_and_name()
    {
        const string Pod = """
            apiVersion: v1
            kind: Pod
            metadata: {name: db, namespace: shop, annotations: {config.linkerd.io/opaque-ports: "3306, 9000-9001,admin,other"}}
            spec: {containers: [{name: db, image: x, ports: [{name: admin, containerPort: 7000}]}]}
            status: {podIP: 10.0.0.1, phase: Running}
            """;
        var parsed = Dialects.Parse("pod.yaml", Pod);
        Assert.Empty(parsed.Diagnostics);
        var workload = Assert.Single(parsed.Objects).Workload!;
        Assert.Equal([new PortRange(3306, 3306), new PortRange(9000, 9001), new PortRange(7000, 7000)], workload.OpaquePorts);
    }

    [Theory]
    [InlineData("UDP")]
    [InlineData("SCTP")]
    public void What_is_not_tcp_is_left_alone(string transport) =>
        Assert.Equal(PortProtocol.Udp, PortProtocols.Of("http", "http", 80, transport));
}
