// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Weft.Kubernetes;
using Weft.Local.Outside;
using Weft.Local.Processes;
using Weft.Local.Serving;
using Xunit;

namespace Weft.Local.Tests.Nodes;

/// <summary>How commands in containers end.</summary>
public sealed class ExecTests(RootNode fixture) : IClassFixture<RootNode>
{
    private TestNode Node => fixture.Node;

    [Fact]
    public async Task A_command_in_a_container_that_is_killed_ends_with_137_or_is_refused_by_name()
    {
        await Node.CreatePodAsync("dying", TestNode.Container("app", ["sleep", "infinity"]));
        await Node.ReadyAsync("dying");
        var seen = new List<string>();
        var lasting = Node.ExecAsync("dying", "sh", "-c", "echo in; sleep 1000");
        var stopping = false;
        var shorts = Enumerable.Range(0, 4).Select(async _ =>
        {
            while (!Volatile.Read(ref stopping))
            {
                var said = await TryAsync();
                lock (seen)
                {
                    seen.Add(said);
                }
            }
        }).ToArray();
        for (var i = 1; i <= 3; i++)
        {
            await Node.HoldsAsync("commands run", () =>
            {
                lock (seen)
                {
                    return Task.FromResult(seen.TakeLast(8).Count(s => s == "0 in") >= 4);
                }
            });
            var id = (await Node.Node.StatusAsync(default)).Objects("pods").First(p => p.Text("name") == "dying").Objects("containers").Single().Number("pid");
            _ = Signals.Send(HostProcesses.InnerToHost(Node.SandboxId)[(int)id!], Signals.Kill);
            if (i == 1)
            {
                Assert.Equal((137, "in\n"), await lasting);
            }

            await Node.HoldsAsync("it has ended", async () => (await Node.GetPodAsync("dying")).Objects("status", "containerStatuses").Single() is var now
                && (now.Number("restartCount") >= i || now.Find("state", "running") is null));
            if (i < 3)
            {
                await Node.HoldsAsync("it runs again", async () => (await Node.GetPodAsync("dying")).Objects("status", "containerStatuses").Single() is var now
                    && now.Number("restartCount") >= i && now.Find("state", "running") is not null);
            }
        }

        Volatile.Write(ref stopping, true);
        await Task.WhenAll(shorts);
        string[] known = ["0 in", "137 in", "137 ", "refused container not found (\"app\")", "stopped"];
        Assert.Empty(seen.Distinct(StringComparer.Ordinal).Except(known));

        async Task<string> TryAsync()
        {
            try
            {
                var (code, output) = await Node.ExecAsync("dying", "sh", "-c", "echo in; sleep 0.05");
                return output.Contains("cannot exec in a stopped container", StringComparison.Ordinal) ? "stopped" : $"{code} {output.Trim()}";
            }
            catch (NodeRefusedException refused)
            {
                return $"refused {refused.Message.Trim()}";
            }
        }
    }

    [Fact]
    public async Task A_client_that_still_speaks_when_the_command_has_ended_gets_its_exit_code_and_a_proper_close()
    {
        await Node.CreatePodAsync("chatty", TestNode.Container("app", ["sleep", "infinity"]));
        await Node.ReadyAsync("chatty");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Node.Home.NodeSocket));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET /exec/{TestNode.Namespace}/chatty?command=sh&command=-c&command=exit+7&stdin=true&stdout=true HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"));
        var one = new byte[1];
        var head = "";
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) == 1)
        {
            head += (char)one[0];
        }

        Assert.StartsWith("HTTP/1.1 101", head, StringComparison.Ordinal);
        using var client = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions());
        var status = "";
        var talking = TalkAsync();
        var buffer = new byte[4096];
        WebSocketReceiveResult got;
        while ((got = await client.ReceiveAsync(buffer, default)).MessageType != WebSocketMessageType.Close)
        {
            status = buffer[0] == 3 ? Encoding.UTF8.GetString(buffer, 1, got.Count - 1) : status;
        }

        Assert.Equal(WebSocketCloseStatus.NormalClosure, got.CloseStatus);
        Assert.Contains("\"message\":\"7\"", status, StringComparison.Ordinal);
        await talking;
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", default);

        async Task TalkAsync()
        {
            byte[] word = [0, .. "more"u8];
            while (status.Length == 0)
            {
                await client.SendAsync(word, WebSocketMessageType.Binary, true, default);
            }
        }
    }
}
