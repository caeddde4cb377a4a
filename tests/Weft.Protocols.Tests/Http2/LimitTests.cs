// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Weft.Testing.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

/// <summary>Limits that cost a stream, or only hold something back.</summary>
public sealed class LimitTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_header_list_over_its_bytes_costs_the_stream(int over)
    {
        // 32 for each field: 42 + 43 + 38 + 51 for the four of a GET, the rest for x.
        var client = Connect(new Http2Limits { MaxHeaderListBytes = 400 });
        var used = client.Get.Sum(field => field.Name.Length + field.Value.Length + 32);
        client.Headers(1, true, [.. client.Get, ("x", new string('y', 400 - used - 33 + over))]);
        Judge(client, over);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_header_list_over_its_fields_costs_the_stream(int over)
    {
        var client = Connect(new Http2Limits { MaxHeaderFields = 20 });
        client.Headers(1, true, [.. client.Get, .. Enumerable.Repeat(("cookie", ""), 16 + over)]);
        Judge(client, over);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Streams_over_the_limit_are_refused_and_may_be_tried_again(int count)
    {
        var server = new Party(Http2Role.Server, new Http2Limits { MaxConcurrentStreams = 2 });
        var client = new Party(Http2Role.Client);
        for (var i = 0; i < count; i++)
        {
            // The client does not know the limit yet.
            client.Request(true);
        }

        Party.Exchange(client, server);
        Assert.Equal(count > 2, client.Heard.Contains("reset 5 RefusedStream Peer"));
        Assert.Equal(count > 2 ? 1 : 0, server.Connection.Pool.Counters.RefusedStreams);
        Assert.Equal(2, client.Connection.PeerMaxStreams);
        Assert.False(client.Connection.CanOpen);
        Assert.Null(client.Connection.Open(null));
    }

    [Fact]
    public void Unread_output_holds_back_data_at_its_limit_and_wakes_the_sender_when_it_is_half_gone()
    {
        var client = new Party(Http2Role.Client, new Http2Limits { MaxQueuedOutputBytes = 1000 });
        var stream = client.Request(false);
        var used = client.Connection.Output.Length;
        Assert.Equal(1000 - used, client.Connection.SendData(stream, new byte[5000], endStream: true));
        Assert.Equal(0, client.Connection.SendData(stream, new byte[1], endStream: false));
        client.Connection.Sent(client.Connection.Output.Length - 501);
        Assert.Empty(client.Heard);
        client.Connection.Sent(1);
        Assert.Equal(["writable 1"], client.Heard);
    }

    [Fact]
    public void A_stream_that_ends_while_it_waits_is_forgotten_by_the_list_of_waiting_ones()
    {
        var client = new Party(Http2Role.Client, new Http2Limits { MaxQueuedOutputBytes = 300 });
        var first = client.Request(false);
        var second = client.Request(false);
        client.Connection.SendData(first, new byte[1000], endStream: false);
        client.Connection.SendData(second, new byte[1000], endStream: false);
        client.Head(first, true, ("x", "the sender gave up its data"));
        client.Connection.Receive([.. RawFrame.OfSettings().Encode(), .. new RawFrame(RawFrame.Headers, 5, 1, RawFrame.Block((":status", "200"))).Encode()], 0);
        var again = client.Request(false);
        Assert.Same(first, again);
        client.Connection.Sent(client.Connection.Output.Length);
        Assert.Equal(["response 1 200 end", "closed 1", "writable 3"], client.Heard);
    }

    [Fact]
    public void The_last_number_of_a_connection_drains_it()
    {
        var server = new Party(Http2Role.Server, new Http2Limits { MaxStreams = 2 });
        var client = new Party(Http2Role.Client);
        client.Request(true);
        Party.Exchange(client, server);
        Assert.False(server.Connection.IsDraining);
        client.Request(true);
        Party.Exchange(client, server);
        Assert.True(server.Connection.IsDraining);
        Assert.False(client.Connection.CanOpen);
    }

    [Fact]
    public void A_client_opens_no_more_streams_than_it_may()
    {
        var client = new Party(Http2Role.Client, new Http2Limits { MaxStreams = 2 });
        client.Request(true);
        Assert.True(client.Connection.CanOpen);
        client.Request(true);
        Assert.False(client.Connection.CanOpen);
        Assert.True(client.Connection.IsDraining);
    }

    [Theory]
    [InlineData(999, 0, false)]
    [InlineData(1000, 0, true)]
    [InlineData(1000, 99, true)]
    [InlineData(1000, 100, false)]
    public void A_stream_that_may_not_send_enough_for_too_long_is_reset(long after, int opened, bool isReset)
    {
        var server = new Party(Http2Role.Server);
        var client = new Party(Http2Role.Client, new Http2Limits { StallMs = 1000, MinStallProgressBytes = 100, MaxQueuedOutputBytes = 1 << 20 });
        server.Consumes = false;
        var stream = client.Request(false);
        var body = new byte[100_000];
        var sent = client.Connection.SendData(stream, body, endStream: true);
        client.Writable = s => sent += client.Connection.SendData(s, body.AsSpan(sent), endStream: true);
        Party.Exchange(client, server);
        client.Connection.Tick(0);
        for (var i = 0; i < opened; i++)
        {
            // The dribble: one byte at a time.
            client.Connection.Receive(RawFrame.OfNumber(RawFrame.WindowUpdate, 1, 1).Encode(), 500);
        }

        client.Connection.Tick(after);
        Assert.Equal(isReset, client.Heard.Contains("reset 1 Cancel Stall"));
        Assert.Equal(isReset ? 1 : 0, client.Connection.Pool.Counters.StalledStreams);
    }

    [Fact]
    public void A_drain_whose_ping_is_not_answered_ends_all_the_same()
    {
        var server = new Party(Http2Role.Server);
        server.Connection.BeginDrain();
        server.Connection.Tick(1999);
        Assert.False(server.Connection.IsOver);
        server.Connection.Tick(2000);
        Assert.True(server.Connection.IsOver);
    }

    [Fact]
    public void Limits_that_make_no_sense_are_refused_by_name()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Http2Limits { MaxFrameBytes = 16_383 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Http2Limits { MaxHeaderListBytes = 65_536 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Http2Limits { ConnectionWindowBytes = 65_534 });
    }

    private static ConformanceClient Connect(Http2Limits limits)
    {
        var client = new ConformanceClient(new AnsweringServer(int.MaxValue, limits));
        client.Handshake();
        return client;
    }

    private static void Judge(ConformanceClient client, int over)
    {
        if (over == 0)
        {
            client.ExpectAnswer(1);
        }
        else
        {
            client.ExpectOnlyStreamError(1, WireError.EnhanceYourCalm);
        }
    }
}
