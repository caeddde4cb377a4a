// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Tests.Http2;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Paths through a running proxy: one form for routes and the server.</summary>
public sealed class PathTests
{
    private static readonly PathPlan[] _modes =
    [
        PathPlan.Verbatim, PathPlan.Basic, PathPlan.Merged, PathPlan.Decoded, PathPlan.Basic with { EscapedSlashes = EscapedSlashes.Refuse },
    ];

    [Fact]
    public void Each_path_of_the_case_reaches_the_server_in_the_form_that_is_written_there()
    {
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request.Split(' ')[1]));
        var file = CaseFile.Load("hostile/paths/normalization.case");
        var paths = file["input"].TrimEnd('\n').Split('\n');
        var forms = new List<string>[paths.Length];
        foreach (var mode in _modes)
        {
            var port = TestProxy.FreePort();
            using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin"))
                .With(Plans.Cluster("origin", origin.Port)).Ruled(http => http with { Path = mode }));
            using var client = Peer.Connect(port);
            for (var i = 0; i < paths.Length; i++)
            {
                client.Write($"GET {paths[i]} HTTP/1.1\r\nhost: a\r\n\r\n");
                var answer = client.ReadMessage()!;
                var form = answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal) ? "x" : answer.Split("\r\n\r\n")[1];
                (forms[i] ??= []).Add(form == paths[i] ? "=" : form);
            }
        }

        var table = new StringBuilder();
        for (var i = 0; i < paths.Length; i++)
        {
            table.Append(CultureInfo.InvariantCulture, $"{paths[i],-40} {string.Join("  ", forms[i])}\n");
        }

        file.Check(("forms", table.ToString()));
    }

    [Theory]
    [InlineData("/admin/x")]
    [InlineData("/./admin/x")]
    [InlineData("/public/../admin/x")]
    [InlineData("/public/%2e%2e/admin/x")]
    [InlineData("/%61dmin/x")]
    [InlineData("/public/..\\admin/x")]
    [InlineData("/admin/x#/public")]
    [InlineData("http://a/public/../admin/x")]
    [InlineData("//admin/x")]
    [InlineData("/public%2f..%2fadmin/x")]
    public void A_route_that_forbids_a_path_forbids_every_spelling_of_it(string target)
    {
        using var origin = TestOrigin.Ok("reached");
        using var proxy = Forbidding(origin, out var port);
        using var client = Peer.Connect(port);
        client.Write($"GET {target} HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 403 ", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);
    }

    [Theory]
    [InlineData("//admin/x")]
    [InlineData("/./admin/x")]
    [InlineData("/public/%2E%2e/admin/x")]
    [InlineData("/%61dmin/x")]
    [InlineData("/public%2f..%2fadmin/x")]
    public void The_same_holds_over_http2(string path)
    {
        using var origin = TestOrigin.Ok("reached");
        using var proxy = Forbidding(origin, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Get(path);
        client.Wait(answer);
        Assert.Equal(403, answer.Status);
        Assert.Equal(0, origin.Connections);
    }

    [Theory]
    [InlineData("/a%2fb?c=%2f", "/a/b?c=%2f")]
    [InlineData("/%2fevil.test/x", "/evil.test/x")]
    [InlineData("/%5c%5Cevil.test", "/evil.test")]
    public void A_client_may_be_sent_to_the_path_with_slashes_and_never_to_another_host(string target, string location)
    {
        using var origin = TestOrigin.Ok("reached");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port))
            .Ruled(http => http with { Path = PathPlan.Basic with { EscapedSlashes = EscapedSlashes.Redirect } }));
        using var client = Peer.Connect(port);
        client.Write($"GET {target} HTTP/1.1\r\nhost: a\r\n\r\n");
        var answer = client.ReadMessage()!;
        Assert.StartsWith("HTTP/1.1 307 ", answer, StringComparison.Ordinal);
        Assert.Equal(location, Peer.Header(answer, "location"));
        Assert.Equal(0, origin.Connections);
    }

    private static TestProxy Forbidding(TestOrigin origin, out int port)
    {
        port = TestProxy.FreePort();
        var forbidden = Plans.Forward("origin", prefix: "/admin") with { Forward = null, Direct = new DirectResponsePlan(403, "no") };
        return new TestProxy(Plans.Http(port, forbidden, Plans.Forward("origin"))
            .With(Plans.Cluster("origin", origin.Port)).Ruled(http => http with { Path = PathPlan.Decoded }));
    }
}
