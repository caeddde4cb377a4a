// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http2;
using Weft.Testing.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

/// <summary>Every limit whose passing ends the connection: so much is served, one more is a GOAWAY that names the limit.</summary>
public sealed class FloodTests
{
    private static readonly Dictionary<string, (Http2Limits Limits, int Most)> _small = new()
    {
        ["MaxPeerResets"] = (new Http2Limits { MaxPeerResets = 3 }, 3),
        ["MaxForcedResets"] = (new Http2Limits { MaxForcedResets = 3 }, 3),
        ["MaxContinuationFrames"] = (new Http2Limits { MaxContinuationFrames = 3 }, 3),
        ["MaxHeaderBlockBytes"] = (new Http2Limits { MaxHeaderBlockBytes = 150 }, 150),
        ["HeaderBombFactor"] = (new Http2Limits { MaxHeaderListBytes = 1000, HeaderBombFactor = 2 }, 2000),
        ["HeaderBombFactor times MaxHeaderListBytes or MaxHeaderFields"] = (new Http2Limits { MaxHeaderFields = 10, HeaderBombFactor = 2 }, 20),
        ["MaxSettingsFrames"] = (new Http2Limits { MaxSettingsFrames = 5 }, 5),
        ["MaxSettingsEntries"] = (new Http2Limits { MaxSettingsEntries = 5 }, 5),
        ["MaxPings"] = (new Http2Limits { MaxPings = 3 }, 3),
        ["MaxEmptyFrames"] = (new Http2Limits { MaxEmptyFrames = 3 }, 3),
        ["MaxPriorityFrames"] = (new Http2Limits { MaxPriorityFrames = 3 }, 3),
        ["MaxWindowUpdates"] = (new Http2Limits { MaxWindowUpdates = 3 }, 3),
        ["MaxUnknownFrames"] = (new Http2Limits { MaxUnknownFrames = 3 }, 3),
    };

    public static TheoryData<string> Limits => [.. Http2Flood.All.Keys];

    [Theory]
    [MemberData(nameof(Limits))]
    public void As_much_as_the_limit_says_is_served(string limit)
    {
        var (server, _) = Send(limit, 0);
        Assert.Null(server.Server.Connection.Failure);
    }

    [Theory]
    [MemberData(nameof(Limits))]
    public void One_more_ends_the_connection_and_names_the_limit(string limit)
    {
        var (server, client) = Send(limit, 1);
        ExpectFlood(client, limit);
        Assert.Equal(1, server.Server.Connection.Pool.Counters.Floods);
        Assert.Equal(0, server.Server.Connection.OpenStreams);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void Answers_that_nobody_reads_are_bounded(int pings, bool isTaken)
    {
        var server = new AnsweringServer(int.MaxValue, new Http2Limits { MaxQueuedControlFrames = 3 });
        var client = new ConformanceClient(server);
        client.Handshake();
        client.Send([.. Enumerable.Repeat(Http2Flood.Ping, pings)]);
        Assert.Equal(isTaken, server.Server.Connection.Failure is null);
        if (!isTaken)
        {
            ExpectFlood(client, "MaxQueuedControlFrames");
        }
    }

    [Fact]
    public void The_defaults_stop_the_classic_attacks()
    {
        Stops(c => Each(5000, i =>
        {
            c.Headers((2 * i) + 1, false, c.Post);
            c.Send(RawFrame.OfNumber(RawFrame.ResetStream, (2 * i) + 1, 8));
        }));
        Stops(c => Each(3000, i =>
        {
            c.Headers((2 * i) + 1, false, c.Post);
            c.Send(RawFrame.OfNumber(RawFrame.WindowUpdate, (2 * i) + 1, 0));
        }));
        Stops(c =>
        {
            c.Send(new RawFrame(RawFrame.Headers, 0, 1, RawFrame.Block(c.Get)));
            Each(3000, _ => c.Send(new RawFrame(RawFrame.Continuation, 0, 1, RawFrame.Block(("x", new string('y', 1000))))));
        });
        Stops(c =>
        {
            c.Send(new RawFrame(RawFrame.Headers, 0, 1, RawFrame.Block(c.Get)));
            Each(20_000, _ => c.Send(new RawFrame(RawFrame.Continuation, 0, 1, [])));
        });
        Stops(c => Each(20_000, _ => c.Send(RawFrame.OfSettings())));
        Stops(c => c.Send(RawFrame.OfSettings([.. Enumerable.Repeat((3, 1u), 2000)])));
        Stops(c => Pings(c, 50_000));
        Stops(c =>
        {
            c.Headers(1, false, c.Post);
            Each(20_000, _ => c.Data(1, false, 0));
        });
        Stops(c => Each(20_000, _ => c.Send(new RawFrame(RawFrame.Priority, 0, 9, new byte[5]))));
        Stops(c => Each(20_000, _ => c.Send(RawFrame.OfNumber(RawFrame.WindowUpdate, 0, 1))));
        Stops(c => c.Block(1, true, [.. RawFrame.Block(c.Get), 0x40, 0x01, (byte)'x', 0x7F, 0xB9, 0x16, .. new string('a', 3000).Select(a => (byte)a), .. Enumerable.Repeat((byte)0xBE, 10_000)]));
        Stops(c => c.Block(1, true, [.. RawFrame.Block(c.Get), 0x60, 0x00, .. Enumerable.Repeat((byte)0xBE, 15_000)]));
        Stops(c => Each(3000, i => c.Headers((2 * i) + 1, false, c.Post)));
    }

    [Fact]
    public void A_new_window_of_time_counts_from_nothing()
    {
        var server = new Party(Http2Role.Server, new Http2Limits { MaxPings = 3, FloodWindowMs = 1000 });
        server.Connection.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. RawFrame.OfSettings().Encode()], 0);
        var ping = new RawFrame(RawFrame.Ping, 0, 0, new byte[8]).Encode();
        Each(3, _ => Assert.True(server.Connection.Receive(ping, 999)));
        Each(3, _ => Assert.True(server.Connection.Receive(ping, 1999)));
        Assert.False(server.Connection.Receive(ping, 2998));
    }

    [Fact]
    public void A_busy_peer_may_ping_as_often_as_it_sends()
    {
        var server = new AnsweringServer(int.MaxValue, new Http2Limits { MaxPings = 3 });
        var client = new ConformanceClient(server);
        client.Handshake();
        client.Headers(1, false, client.Post);
        Each(100, _ =>
        {
            client.Data(1, false, 1);
            Pings(client, 1);
        });
        client.ExpectAlive();
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void Interim_responses_are_bounded(int count, bool isTaken)
    {
        var client = new Party(Http2Role.Client, new Http2Limits { MaxInterimResponses = 3 });
        var server = new Party(Http2Role.Server);
        client.Request(true);
        Party.Exchange(client, server);
        Each(count, _ => server.Head(server.Streams[1], false, (":status", "103")));
        Party.Exchange(client, server);
        Assert.Equal(!isTaken, client.Heard.Contains("reset 1 ProtocolError Rule"));
        Assert.Equal(3, client.Heard.Count(word => word == "response 1 103"));
    }

    private static void Pings(ConformanceClient client, int count) =>
        Each(count, _ => client.Send(new RawFrame(RawFrame.Ping, 0, 0, new byte[8])));

    private static (AnsweringServer Server, ConformanceClient Client) Send(string limit, int over)
    {
        var (limits, most) = _small[limit];
        var flood = Http2Flood.All[limit];
        var server = new AnsweringServer(int.MaxValue, limits);
        var client = new ConformanceClient(server);
        client.Handshake();
        flood.Send(client, most - flood.Counted + over);
        return (server, client);
    }

    private static void ExpectFlood(ConformanceClient client, string limit)
    {
        var goAway = client.Expect("GOAWAY", frame => frame.Type == RawFrame.GoAway);
        Assert.Equal((byte)WireError.EnhanceYourCalm, goAway.Payload[7]);
        Assert.Contains($"The peer passed {limit}", Encoding.UTF8.GetString(goAway.Payload[8..]), StringComparison.Ordinal);
    }

    private static void Each(int count, Action<int> action)
    {
        for (var i = 0; i < count; i++)
        {
            action(i);
        }
    }

    private static void Stops(Action<ConformanceClient> attack)
    {
        var client = new ConformanceClient(new AnsweringServer(int.MaxValue));
        client.Handshake();
        attack(client);
        client.ExpectConnectionError(WireError.EnhanceYourCalm);
    }
}
