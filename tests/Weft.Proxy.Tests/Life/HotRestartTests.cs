// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Proxy.Io;
using Weft.Proxy.Life;
using Xunit;

namespace Weft.Proxy.Tests.Life;

public sealed class HotRestartTests : IDisposable
{
    private const int PatienceMs = 20_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("weft-life-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("epoll")]
    [InlineData("uring")]
    public void Three_processes_follow_each_other_under_load_and_no_connection_or_request_is_lost(string io)
    {
        using var origin = new EchoOrigin();
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port));
        var bootstrap = ProxyProcess.Prepare(_folder, plan, keys: ("io", JsonValue.Create(io)));
        using var load = new Load(port, clients: 4);
        var running = ProxyProcess.Start(bootstrap);
        try
        {
            running.AwaitPort(port);
            load.Start();
            for (var i = 0; i < 2; i++)
            {
                load.AwaitMore(200);
                var successor = ProxyProcess.Start(bootstrap);
                successor.AwaitWords("took over");
                Assert.Equal(0, running.AwaitEnd());
                running.Dispose();
                running = successor;
                load.AwaitMore(200);
            }

            load.Stop();
            Assert.Empty(load.Problems);
        }
        finally
        {
            running.Dispose();
        }
    }

    [Fact]
    public void A_successor_that_is_not_understood_or_dies_is_refused_and_the_proxy_goes_on()
    {
        using var place = HandoverPlace.Open(Path.Combine(_folder, new string('x', 120)))!;
        Assert.Null(place.TryConnect());
        using var log = new StringWriter();
        var released = 0;
        using var door = new SuccessorDoor(place.Listen(), 2, () => [], () => released++, TextWriter.Synchronized(log));

        Assert.Null(Predecessor.Find(place, 3, out var problem));
        Assert.Contains("3 loops, this proxy 2", problem, StringComparison.Ordinal);
        foreach (var (hello, answer) in (ReadOnlySpan<(string, string)>)[("weft-handover 2 2", "version 2"), ("what", "language")])
        {
            using var stranger = place.TryConnect()!;
            HandoverWire.Send(stranger, hello);
            Assert.Contains(answer, string.Join(' ', HandoverWire.Receive(stranger, TimeSpan.FromSeconds(5), out _)), StringComparison.Ordinal);
        }

        Predecessor.Find(place, 2, out _)!.Dispose();
        Assert.Equal(0, released);
        using (var successor = Predecessor.Find(place, 2, out problem)!)
        {
            Assert.Null(problem);
            successor.Relieve();
        }

        Assert.Equal(1, released);
        Assert.Null(place.TryConnect());
    }

    [Fact]
    public void A_listening_socket_that_is_handed_over_keeps_the_connections_in_its_queue()
    {
        using var place = HandoverPlace.Open(_folder)!;
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, TestProxy.FreePort());
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        Assert.True(IpEndpoint.TryParse("127.0.0.1", port, out var address));
        using var door = new SuccessorDoor(
            place.Listen(), 1, () => [new ListeningSocket(address, 0, Libc.Duplicate((int)listener.Server.Handle))], () => { }, TextWriter.Null);
        using var waiting = Peer.Connect(port);
        waiting.Write("hello");
        using var successor = Predecessor.Find(place, 1, out _)!;
        Assert.Equal(1, successor.Count);
        var fd = successor.Take(address, 0);
        Assert.Equal(-1, successor.Take(address, 0));
        using var taken = new Socket(new SafeSocketHandle(fd, ownsHandle: true));
        using var server = new Peer(taken.Accept());
        Assert.Equal("hello", server.Read(5));
    }

    /// <summary>Clients that ask one request after the other, come again when they are told to, and note whatever else happens.</summary>
    private sealed class Load(int port, int clients) : IDisposable
    {
        private readonly List<Thread> _threads = [];
        private volatile bool _stopping;
        private int _answered;

        internal ConcurrentQueue<string> Problems { get; } = new();

        internal void Start()
        {
            for (var i = 0; i < clients; i++)
            {
                var thread = new Thread(Run);
                _threads.Add(thread);
                thread.Start();
            }
        }

        internal void AwaitMore(int requests)
        {
            var aim = Volatile.Read(ref _answered) + requests;
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _answered) >= aim || !Problems.IsEmpty, PatienceMs));
            Assert.Empty(Problems);
        }

        internal void Stop()
        {
            _stopping = true;
            _threads.ForEach(thread => thread.Join());
        }

        public void Dispose() => Stop();

        private void Run()
        {
            try
            {
                while (!_stopping && Problems.IsEmpty)
                {
                    using var peer = Peer.Connect(port);
                    while (!_stopping && Ask(peer))
                    {
                    }
                }
            }
            catch (Exception lost)
            {
                Problems.Enqueue(lost.Message);
            }
        }

        private bool Ask(Peer peer)
        {
            var target = $"/{Interlocked.Increment(ref _answered).ToString(CultureInfo.InvariantCulture)}";
            peer.Socket.Send(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nhost: shop\r\n\r\n"));
            var answer = peer.ReadMessage() ?? "closed without an answer";
            if (!answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) || !answer.EndsWith($"\r\n\r\n{target} ", StringComparison.Ordinal))
            {
                Problems.Enqueue(answer);
            }

            return Peer.Header(answer, "connection") != "close";
        }
    }
}
