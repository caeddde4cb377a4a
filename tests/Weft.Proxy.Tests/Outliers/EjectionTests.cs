// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Outliers;

/// <summary>Ejections by real answers over real sockets.</summary>
public sealed class EjectionTests
{
    private static readonly OutlierPlan _outlier = new(3, 0, 0, false, 100, 100_000, 300_000, 100);

    [Fact]
    public async Task An_endpoint_that_answers_5xx_is_left_out_and_comes_back_after_its_time()
    {
        var clock = new ShiftedClock();
        var told = new List<string>();
        var broken = true;
        using var sick = TestOrigin.Answering(_ => TestOrigin.Response("sick", Volatile.Read(ref broken) ? 500 : 200));
        using var well = TestOrigin.Ok("well");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(
            Plans.Http(port, Plans.Forward("c")).With(Plans.Cluster("c", sick.Port, well.Port) with { Outlier = _outlier }),
            options: options => options with { Clock = clock, Tell = words => Add(told, words) });
        using var client = Peer.Connect(port);
        var answers = Enumerable.Range(0, 40).Select(_ => Ask(client)).ToList();
        Assert.Equal(3, answers.Count(answer => answer.Contains(" 500 ", StringComparison.Ordinal)));
        Assert.Single(told);
        Assert.Contains($"endpoint 127.0.0.1:{sick.Port} of cluster 'c' is out of rotation for 100000 ms: too many 5xx in a row", told[0], StringComparison.Ordinal);

        Volatile.Write(ref broken, false);
        clock.Shift(TimeSpan.FromSeconds(101));
        await Eventually.HoldsAsync("the endpoint is asked again", () => Task.FromResult(Ask(client).EndsWith("sick", StringComparison.Ordinal)));
        Assert.Equal(2, told.Count);
    }

    [Fact]
    public void Loops_eject_together()
    {
        using var sick = TestOrigin.Answering(_ => TestOrigin.Response("sick", 500));
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(
            Plans.Http(port, Plans.Forward("c")).With(Plans.Cluster("c", sick.Port) with { Outlier = _outlier with { Consecutive5xx = 10 } }),
            options: options => options with { Loops = 3 });
        var answers = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            // The kernel gives each connection to one of the loops.
            using var client = Peer.Connect(port);
            answers.Add(Ask(client));
        }

        Assert.All(answers[..10], answer => Assert.Contains(" 500 ", answer, StringComparison.Ordinal));
        Assert.All(answers[10..], answer => Assert.EndsWith("no healthy upstream", answer, StringComparison.Ordinal));
    }

    [Fact]
    public void When_all_are_ejected_nothing_is_asked_unless_panic_allows_it()
    {
        using var sick = TestOrigin.Answering(_ => TestOrigin.Response("sick", 500));
        var port = TestProxy.FreePort();
        var cluster = Plans.Cluster("c", sick.Port) with { Outlier = _outlier };
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("c")).With(cluster));
        using var client = Peer.Connect(port);
        for (var i = 0; i < 3; i++)
        {
            Assert.Contains(" 500 ", Ask(client), StringComparison.Ordinal);
        }

        Assert.EndsWith("no healthy upstream", Ask(client), StringComparison.Ordinal);
        proxy.Runtime.Apply(Plans.Http(port, Plans.Forward("c")).With(cluster with { PanicPercent = 50 }));
        Assert.Contains(" 500 ", Ask(client), StringComparison.Ordinal);
    }

    [Fact]
    public void An_endpoint_that_refuses_connections_is_ejected_and_the_next_priority_serves()
    {
        using var other = TestOrigin.Ok("other");
        var port = TestProxy.FreePort();
        var cluster = Plans.Cluster("c", TestProxy.FreePort(), other.Port);
        cluster = cluster with
        {
            Outlier = _outlier,
            StaticEndpoints = [cluster.StaticEndpoints[0], cluster.StaticEndpoints[1] with { Priority = 1 }],
        };
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("c")).With(cluster));
        using var client = Peer.Connect(port);
        for (var i = 0; i < 3; i++)
        {
            Assert.StartsWith("HTTP/1.1 503 ", Ask(client), StringComparison.Ordinal);
        }

        Assert.EndsWith("other", Ask(client), StringComparison.Ordinal);
    }

    [Fact]
    public void An_opaque_connection_that_fails_counts_too()
    {
        using var other = new TestOrigin(peer => peer.Write("other"));
        var port = TestProxy.FreePort();
        var cluster = Plans.Cluster("c", TestProxy.FreePort(), other.Port);
        cluster = cluster with
        {
            Outlier = _outlier,
            StaticEndpoints = [cluster.StaticEndpoints[0], cluster.StaticEndpoints[1] with { Priority = 1 }],
        };
        using var proxy = new TestProxy(new ProxyPlan([Plans.Listener(port, TrafficDirection.Outbound, Plans.TcpChain("c"))], [], [cluster], []));
        var answers = Enumerable.Range(0, 4).Select(_ => ReadAll(port)).ToList();
        Assert.Equal(["", "", "", "other"], answers);
    }

    private static string ReadAll(int port)
    {
        using var client = Peer.Connect(port);
        try
        {
            return client.ReadToEnd();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string Ask(Peer client)
    {
        client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        return client.ReadMessage()!;
    }

    private static void Add(List<string> told, string words)
    {
        lock (told)
        {
            told.Add(words);
        }
    }
}
