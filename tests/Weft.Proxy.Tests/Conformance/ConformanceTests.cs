// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Testing.Http2;
using Xunit;

namespace Weft.Proxy.Tests.Conformance;

/// <summary>The proxy's server side of HTTP/2 against every conformance case, over sockets, before an HTTP/1.1 server.</summary>
public sealed class ConformanceTests(ConformanceTests.Proxies proxies) : IClassFixture<ConformanceTests.Proxies>
{
    public static TheoryData<string> Names => [.. ConformanceCase.All.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_proxy_does_what_the_rfc_says_on_epoll(string name) => Run(name, proxies.EpollPort);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_proxy_does_what_the_rfc_says_on_io_uring(string name) => Run(name, proxies.UringPort);

    private static void Run(string name, int port)
    {
        using var transport = new SocketTransport(port);
        ConformanceCase.Named(name).Run(new ConformanceClient(transport));
    }

    /// <summary>One proxy of each back end, and the server behind them, for all cases.</summary>
    public sealed class Proxies : IDisposable
    {
        private readonly TestOrigin _origin = new(AnswerCompleteRequests);
        private readonly TestProxy _epoll;
        private readonly TestProxy _uring;

        public Proxies()
        {
            (EpollPort, UringPort) = (TestProxy.FreePort(), TestProxy.FreePort());
            _epoll = Start(EpollPort, IoChoice.Epoll);
            _uring = Start(UringPort, IoChoice.Uring);
        }

        internal int EpollPort { get; }

        internal int UringPort { get; }

        public void Dispose()
        {
            _epoll.Dispose();
            _uring.Dispose();
            _origin.Dispose();
        }

        private static void AnswerCompleteRequests(Peer peer)
        {
            while (peer.ReadRequest() is { } request)
            {
                if (Peer.Header(request, "transfer-encoding") is not null)
                {
                    peer.ReadChunks();
                }

                peer.Write(TestOrigin.Response("0123456789"));
            }
        }

        private TestProxy Start(int port, IoChoice io) =>
            new(Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("app")).With(Plans.Cluster("app", _origin.Port)), io);
    }
}
