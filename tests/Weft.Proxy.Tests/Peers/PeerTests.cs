// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Peers;

/// <summary>Other people's clients and servers talk to each other through one proxy and through a pair.</summary>
public sealed class PeerTests
{
    private static readonly RetryPlan _retryUnavailable = new(3, 0, ["unavailable"], [], 25);

    [Theory]
    [InlineData("--http1.1", "1.1")]
    [InlineData("--http2", "2")]
    [InlineData("--http2-prior-knowledge", "2")]
    public async Task Curl_speaks_every_version(string option, string version)
    {
        using var origin = TestOrigin.Ok("from the origin");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        var (exit, said) = await PeerProgram.RunAsync(
            "curl", "-sS", "-m", "10", option, "-w", "|%{http_code} %{http_version}\\n", Url(port));
        Assert.True(exit == 0, said);
        Assert.Equal($"from the origin|200 {version}\n", said);
    }

    [Fact]
    public async Task Curl_goes_through_a_tunnel()
    {
        using var origin = TestOrigin.Ok("from the origin");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Tunnel("origin")).Ruled(http => http with { AllowConnect = true })
            .With(Plans.Cluster("origin", origin.Port)));
        var (exit, said) = await PeerProgram.RunAsync(
            "curl", "-sS", "-m", "10", "--proxytunnel", "-x", Url(port), "-w", "|%{http_connect} %{http_code}\\n", "http://shop.test:80/");
        Assert.True(exit == 0, said);
        Assert.Equal("from the origin|200 200\n", said);
    }

    [Fact]
    public async Task Nghttp_gets_headers_and_body()
    {
        using var origin = TestOrigin.Ok("from the origin");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        var (exit, said) = await PeerProgram.RunAsync("nghttp", "-v", "--no-dep", Url(port));
        Assert.Equal(0, exit);
        Assert.Contains(":status: 200", said, StringComparison.Ordinal);
        Assert.Contains("from the origin", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IoChoice.Epoll, UpstreamProtocol.Http1)]
    [InlineData(IoChoice.Epoll, UpstreamProtocol.Http2)]
    [InlineData(IoChoice.Uring, UpstreamProtocol.Http1)]
    [InlineData(IoChoice.Uring, UpstreamProtocol.Http2)]
    public async Task H2load_loses_nothing_through_a_pair(IoChoice io, UpstreamProtocol between)
    {
        using var origin = TestOrigin.Ok(new string('x', 3000));
        using var pair = PeerPair.To(origin.Port, UpstreamProtocol.Http1, between, io);
        var (exit, said) = await PeerProgram.RunAsync("h2load", "-n", "4000", "-c", "8", "-m", "16", Url(pair.Port));
        Assert.Equal(0, exit);
        Assert.True(said.Contains("4000 succeeded, 0 failed, 0 errored, 0 timeout", StringComparison.Ordinal), said);
        Assert.Contains("4000 2xx", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UpstreamProtocol.Http1)]
    [InlineData(UpstreamProtocol.Http2)]
    public async Task Wrk_sees_only_good_answers_through_a_pair(UpstreamProtocol between)
    {
        using var origin = TestOrigin.Ok("hello");
        using var pair = PeerPair.To(origin.Port, UpstreamProtocol.Http1, between, IoChoice.Epoll);
        var (exit, said) = await PeerProgram.RunAsync("wrk", "-d", "1", "-c", "20", "-t", "1", Url(pair.Port));
        Assert.Equal(0, exit);
        Assert.DoesNotContain("Non-2xx", said, StringComparison.Ordinal);
        Assert.DoesNotContain("Socket errors", said, StringComparison.Ordinal);
        Assert.Matches("[1-9][0-9]* requests in ", said);
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public async Task Grpc_js_makes_every_kind_of_call_through_a_pair(IoChoice io)
    {
        var (server, port) = await PeerProgram.ServeAsync("grpc-server.js");
        using (server)
        {
            using var pair = PeerPair.To(port, UpstreamProtocol.Http2, UpstreamProtocol.Http2, io, _retryUnavailable);
            var (exit, said) = await PeerProgram.RunScriptAsync("grpc-client.js", $"127.0.0.1:{Text(pair.Port)}", "retries", "2");
            Assert.True(exit == 0, said);
            Assert.Equal(12, said.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
        }
    }

    [Theory]
    [InlineData("h1", UpstreamProtocol.Http1)]
    [InlineData("h1", UpstreamProtocol.Http2)]
    [InlineData("h2", UpstreamProtocol.Http1)]
    [InlineData("h2", UpstreamProtocol.Http2)]
    public async Task A_web_socket_lives_through_a_pair(string client, UpstreamProtocol between)
    {
        var (server, port) = await PeerProgram.ServeAsync("ws-server.js");
        using (server)
        {
            using var pair = PeerPair.To(port, UpstreamProtocol.Http1, between, IoChoice.Epoll);
            var (exit, said) = await PeerProgram.RunScriptAsync("ws-client.js", Text(pair.Port), client);
            Assert.True(exit == 0, said);
        }
    }

    private static string Url(int port) => $"http://127.0.0.1:{Text(port)}/";

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
