// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>Captured traffic, in a network namespace of the test's own; threads that a thread starts live in its namespace.</summary>
public sealed partial class CaptureTests
{
    private const string Rules = """
        table ip weft {
            chain output {
                type nat hook output priority -100;
                meta mark 0x539 return
                ip saddr 127.0.0.6 return
                tcp dport { 80, 9000, 9001 } redirect to :15001
                tcp dport 7000 redirect to :15006
            }
        }
        table ip6 weft {
            chain output {
                type nat hook output priority -100;
                meta mark 0x539 return
                ip6 saddr ::6 return
                tcp dport { 80, 9000, 9001 } redirect to :15001
                tcp dport 7000 redirect to :15006
            }
        }
        """;

    [RootTheory]
    [InlineData(IoChoice.Epoll, "10.9.9.9", "127.0.0.6")]
    [InlineData(IoChoice.Uring, "10.9.9.9", "127.0.0.6")]
    [InlineData(IoChoice.Epoll, "fd00:10:244::9", "::6")]
    [InlineData(IoChoice.Uring, "fd00:10:244::9", "::6")]
    public void Captured_connections_go_where_they_were_meant_to(IoChoice io, string pod, string proxySeen) => InOwnNetwork(() =>
    {
        using var passed = new TestOrigin(peer => peer.Write("passed"), IPAddress.Parse(pod), 9000);
        using var app = new TestOrigin(peer => peer.Write($"app saw {((IPEndPoint)peer.Socket.RemoteEndPoint!).Address}"), IPAddress.Parse(pod), 7000);
        using var named = TestOrigin.Ok("by name");
        var original = Plans.Cluster("PassthroughCluster") with { Kind = ClusterKind.OriginalDestination };
        var inbound = original with { Name = "inbound|7000||", Direction = TrafficDirection.Inbound };
        var plan = Plans.Http(80, Plans.Forward("named")).With(original, inbound, Plans.Cluster("named", named.Port)) with
        {
            Listeners =
            [
                Capturing(15001, TrafficDirection.Outbound, "PassthroughCluster"),
                Capturing(15006, TrafficDirection.Inbound, "inbound|7000||"),
                Plans.Listener(80, TrafficDirection.Outbound, Plans.HttpChain(TrafficDirection.Outbound)) with { Address = "0.0.0.0", BindToPort = false },
            ],
        };
        using var proxy = new TestProxy(plan, io, options: chosen => chosen with { Mark = SocketSettings.MeshMark });
        Assert.Equal("passed", Call(pod, 9000, ""));
        Assert.Equal($"app saw {proxySeen}", Call(pod, 7000, ""));
        Assert.EndsWith("by name", Call(pod, 80, "GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n"), StringComparison.Ordinal);

        // Straight to the capturing port: forwarding that would never end.
        Assert.ThrowsAny<IOException>(() => Assert.Equal("never", Call(pod, 15001, "x")));
    });

    private static ListenerPlan Capturing(int port, TrafficDirection direction, string cluster) =>
        Plans.Listener(port, direction, Plans.TcpChain(cluster)) with { Address = "0.0.0.0", MoreAddresses = ["::"], UseOriginalDestination = true };

    private static string Call(string address, int port, string text)
    {
        var socket = new Socket(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var peer = Peer.Connect(socket, address, port);
        peer.Write(text);
        return peer.ReadToEnd();
    }

    private static void InOwnNetwork(Action test)
    {
        const int NewNetwork = 0x40000000;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Assert.Equal(0, Unshare(NewNetwork));
                Run("ip", "link set lo up");
                Run("ip", "address add 10.9.9.9/32 dev lo");
                Run("ip", "address add fd00:10:244::9/128 dev lo nodad");
                Run("ip", "address add ::6/128 dev lo nodad");
                Run("nft", "-f -", Rules);
                test();
            }
            catch (Exception problem)
            {
                failure = problem;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            throw new InvalidOperationException(failure.ToString());
        }
    }

    private static void Run(string program, string arguments, string input = "")
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true })!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [LibraryImport("libc.so.6", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}

/// <summary>Needs root, for a network namespace and marks; elsewhere it is shown as skipped.</summary>
public sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute() => Skip = Environment.IsPrivilegedProcess ? null : "needs root";
}
