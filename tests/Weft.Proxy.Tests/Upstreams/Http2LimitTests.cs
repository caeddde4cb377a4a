// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Weft.Model.Plan;
using Weft.Proxy.Tests.Http2;
using Weft.Proxy.Upstreams;
using Xunit;

namespace Weft.Proxy.Tests.Upstreams;

/// <summary>What a cluster's plan says about its HTTP/2 connections, seen by a server of HTTP/2.</summary>
public sealed class Http2LimitTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 3)]
    [InlineData(5, 1)]
    [InlineData(0, 1)]
    public void So_many_streams_share_a_connection_and_one_more_opens_another(int most, int connections)
    {
        const int Requests = 5;
        using var all = new CountdownEvent(Requests);
        var together = new List<int>();
        using var origin = Http2Peer.Origin(peer =>
        {
            // Answers only when all have arrived, wherever: until then every stream stays open.
            var seen = 0;
            while (!all.IsSet)
            {
                if (peer.Socket.Poll(TimeSpan.FromMilliseconds(20), SelectMode.SelectRead))
                {
                    var reads = 0;
                    peer.TryWait(() => reads++ > 0);
                }

                for (; seen < peer.Messages.Count; seen++)
                {
                    all.Signal();
                }
            }

            lock (together)
            {
                together.Add(seen);
            }

            foreach (var message in peer.Messages.ToArray())
            {
                peer.Answer(message, "ok");
            }

            peer.TryWait(() => false);
        });
        using var proxy = Through(origin.Port, cluster => cluster with { MaxConcurrentStreams = most }, out var port);
        using var client = Http2Peer.Connect(port);
        var answers = Enumerable.Range(0, Requests).Select(i => client.Get($"/{i}")).ToArray();
        foreach (var answer in answers)
        {
            client.Wait(answer);
            Assert.Equal((200, "ok"), (answer.Status, answer.Body.ToString()));
        }

        Assert.Equal(connections, origin.Connections);
        Assert.All(together, seen => Assert.InRange(seen, 1, most == 0 ? Requests : most));
    }

    [Theory]
    [InlineData(1, 7)]
    [InlineData(3, 3)]
    [InlineData(0, 1)]
    public void A_connection_serves_so_many_requests_and_no_more(int most, int connections)
    {
        using var origin = Http2Peer.Origin(peer =>
        {
            var answered = 0;
            while (peer.TryWait(() => peer.Messages.Count > answered && peer.Messages[answered].Ended))
            {
                peer.Answer(peer.Messages[answered++], "ok");
                peer.Flush();
            }
        });
        using (var proxy = Through(origin.Port, cluster => cluster with { MaxRequestsPerConnection = most }, out var port))
        {
            using var client = Http2Peer.Connect(port);
            for (var i = 0; i < 7; i++)
            {
                var answer = client.Get($"/{i}");
                client.Wait(answer);
                Assert.Equal(200, answer.Status);
            }

            Assert.Equal(connections, origin.Connections);
            Assert.Equal(most == 0 ? 0 : 7 / most, proxy.Runtime.Clusters.Single().Breaker.Sum(ClusterFigure.ConnectionMaxRequests));
        }
    }

    private static TestProxy Through(int origin, Func<ClusterPlan, ClusterPlan> change, out int port)
    {
        port = TestProxy.FreePort();
        return new TestProxy(Plans.Http(port, Plans.Forward("c")).With(change(Plans.Cluster("c", origin) with { Protocol = UpstreamProtocol.Http2 })));
    }
}
