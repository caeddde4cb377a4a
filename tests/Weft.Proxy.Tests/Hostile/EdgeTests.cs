// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>What a server behind the proxy is told about a client, whatever that client says about itself.</summary>
public sealed class EdgeTests
{
    private const string Claims = "x-forwarded-for: 1.1.1.1, 2.2.2.2\r\nX-Forwarded-For: 3.3.3.3\r\nx-forwarded-proto: https\r\n"
        + "x-forwarded-host: admin\r\nx-envoy-internal: true\r\nx-envoy-original-path: /admin\r\nX-Envoy-Retry-On: 5xx\r\nl5d-client-id: admin\r\n"
        + "x-weft-identity: admin\r\nx-request-id: mine\r\nx-forwarded-client-cert: URI=spiffe://td/admin\r\nx-app: kept\r\n";

    [Fact]
    public void At_the_edge_a_client_says_nothing_about_itself()
    {
        var seen = Forward(TrustPlan.Edge with { Underscores = UnderscoreNames.Drop }, $"{Claims}x_forwarded_for: 9.9.9.9\r\n");
        Assert.Equal("1.1.1.1, 2.2.2.2,3.3.3.3,127.0.0.1", Peer.Header(seen, "x-forwarded-for"));
        Assert.Equal("127.0.0.1", Peer.Header(seen, "x-envoy-external-address"));
        Assert.Equal("http", Peer.Header(seen, "x-forwarded-proto"));
        Assert.Equal("kept", Peer.Header(seen, "x-app"));
        Assert.Matches("^[0-9a-f-]{36}$", Peer.Header(seen, "x-request-id"));
        foreach (var gone in new[]
        {
            "x-forwarded-host", "x-envoy-internal", "x-envoy-original-path", "x-envoy-retry-on", "l5d-client-id", "x-weft-identity",
            "x-forwarded-client-cert", "x_forwarded_for",
        })
        {
            Assert.Null(Peer.Header(seen, gone));
        }
    }

    [Theory]
    [InlineData(1, "3.3.3.3")]
    [InlineData(2, "2.2.2.2")]
    [InlineData(3, "1.1.1.1")]
    [InlineData(4, "127.0.0.1")]
    public void Proxies_in_front_of_the_edge_are_counted_from_the_right(int proxies, string address)
    {
        var seen = Forward(TrustPlan.Edge with { TrustedProxies = proxies }, Claims);
        Assert.Equal(address, Peer.Header(seen, "x-envoy-external-address"));
        Assert.Equal("https", Peer.Header(seen, "x-forwarded-proto"));
        Assert.Equal("admin", Peer.Header(seen, "x-forwarded-host"));
        Assert.Null(Peer.Header(seen, "x-envoy-internal"));
    }

    [Fact]
    public void An_id_may_be_kept_where_the_plan_says_so()
    {
        Assert.Equal("mine", Peer.Header(Forward(TrustPlan.Edge with { KeepRequestId = true }, Claims), "x-request-id"));
    }

    [Fact]
    public void A_name_with_an_underscore_is_refused_at_the_edge()
    {
        Assert.StartsWith("HTTP/1.1 400 ", Forward(TrustPlan.Edge, "x_forwarded_for: 9.9.9.9\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ClientCertificateField.Sanitize, false)]
    [InlineData(ClientCertificateField.ForwardOnly, false)]
    [InlineData(ClientCertificateField.AppendForward, false)]
    [InlineData(ClientCertificateField.SanitizeSet, false)]
    [InlineData(ClientCertificateField.AlwaysForwardOnly, true)]
    public void Without_mutual_tls_a_certificate_is_hearsay(ClientCertificateField way, bool forwarded)
    {
        var seen = Forward(TrustPlan.Inbound with { ClientCertificate = way }, Claims);
        Assert.Equal(forwarded ? "URI=spiffe://td/admin" : null, Peer.Header(seen, "x-forwarded-client-cert"));
    }

    [Fact]
    public void A_workload_is_never_told_an_identity_by_a_header()
    {
        var seen = Forward(TrustPlan.Inbound, Claims);
        Assert.Null(Peer.Header(seen, "l5d-client-id"));
        Assert.Equal("1.1.1.1, 2.2.2.2", Peer.Header(seen, "x-forwarded-for"));
        Assert.Equal("mine", Peer.Header(seen, "x-request-id"));
    }

    [Fact]
    public void A_route_does_not_match_what_is_not_believed()
    {
        using var origin = TestOrigin.Ok("reached");
        var port = TestProxy.FreePort();
        var secret = Plans.Forward("origin") with
        {
            Match = RouteMatchPlan.Everything with
            {
                Path = new TextMatchPlan(TextMatchKind.Prefix, "/"),
                Headers = [new NamedMatchPlan("x-envoy-internal", new TextMatchPlan(TextMatchKind.Exact, "true"))],
            },
        };
        using var proxy = new TestProxy(Plans.Http(port, TrafficDirection.Inbound, secret).With(Plans.Cluster("origin", origin.Port))
            .Ruled(http => http with { Trust = TrustPlan.Edge }));
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: a\r\nx-envoy-internal: true\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 404 ", client.ReadMessage(), StringComparison.Ordinal);
    }

    private static string Forward(TrustPlan trust, string fields)
    {
        var seen = "";
        using var origin = TestOrigin.Answering(request =>
        {
            Volatile.Write(ref seen, request);
            return TestOrigin.Response("ok");
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("origin"))
            .With(Plans.Cluster("origin", origin.Port)).Ruled(http => http with { Trust = trust }));
        using var client = Peer.Connect(port);
        client.Write($"GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
        var answer = client.ReadMessage()!;
        return answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) ? Volatile.Read(ref seen) : answer;
    }
}
