// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Peers;

/// <summary>Rules of HTTP/2 as another implementation understands them: python3-h2, and frames that it would not send, by hand.</summary>
public sealed class IndependentHttp2Tests
{
    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public async Task Every_case_that_a_client_on_another_implementation_plays_ends_as_the_rfcs_say(IoChoice io)
    {
        TestProxy.Io = io;
        using var origin = new TestOrigin(peer =>
        {
            while (peer.ReadHead() is { } head)
            {
                var body = Peer.Header(head, "transfer-encoding") is null ? "" : peer.ReadChunks();
                var words = head.Split(' ', 3);
                peer.Write(TestOrigin.Response(words[1] == "/large" ? new string('x', 5000) : $"{words[0]} {words[1]} {body.Length}"));
            }
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        var script = RepositoryRoot.File("tests", "Weft.Proxy.Tests", "Peers", "python", "h2_client.py");
        var (exit, said) = await PeerProgram.RunAsync("/usr/bin/python3", script, $"{port}");
        Assert.True(exit == 0, string.Join('\n', said.Split('\n').Where(line => !line.StartsWith("ok ", StringComparison.Ordinal))));
        Assert.EndsWith(" cases, 0 failed\n", said, StringComparison.Ordinal);
        Assert.True(said.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)) >= 49, said);
    }
}
