// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Weft.Testing.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

/// <summary>Upgrade from HTTP/1.1, extended CONNECT, PING, and the ends of connections.</summary>
public sealed class UpgradeTests
{
    // INITIAL_WINDOW_SIZE 5 and MAX_CONCURRENT_STREAMS 100, in base64url.
    private static ReadOnlySpan<byte> Settings => "AAQAAAAFAAMAAABk"u8;

    private readonly Party _server = new(Http2Role.Server);

    [Fact]
    public void An_upgraded_request_is_answered_on_stream_1_within_the_windows_of_its_settings()
    {
        var stream = _server.Connection.AcceptUpgrade(Settings, "owner");
        Assert.NotNull(stream);
        Assert.Equal((1, true, (object?)"owner"), (stream.Id, stream.HasReceivedEnd, stream.Owner));
        _server.Head(stream, false, (":status", "200"));
        Assert.Equal(5, _server.Connection.SendData(stream, new byte[100], endStream: true));

        // The client goes on with its preface, and its next request is stream 3.
        _server.Connection.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. RawFrame.OfSettings((4, 1000)).Encode()], 0);
        Assert.Equal(["writable 1"], _server.Heard);
        Assert.Equal(95, _server.Connection.SendData(stream, new byte[95], endStream: true));
        Assert.Equal("closed 1", _server.Heard[^1]);
        var request = RawFrame.Block((":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"));
        _server.Connection.Receive(new RawFrame(RawFrame.Headers, 5, 3, request).Encode(), 0);
        Assert.Equal("request 3 GET http a / end", _server.Heard[^1]);
    }

    [Theory]
    [InlineData("AAQAAAAF AAMAAABk")]
    [InlineData("AAQAAAAFAA")]
    [InlineData("!")]
    public void Settings_that_cannot_be_read_refuse_the_upgrade(string settings) =>
        Assert.Null(_server.Connection.AcceptUpgrade(System.Text.Encoding.ASCII.GetBytes(settings), null));

    [Fact]
    public void Settings_with_an_impossible_value_refuse_the_upgrade() =>
        Assert.Null(_server.Connection.AcceptUpgrade("AAWAAAAA"u8, null));

    [Fact]
    public void Extended_connect_is_announced_and_carries_data_both_ways()
    {
        var server = new Party(Http2Role.Server, new Http2Limits { AllowExtendedConnect = true });
        var client = new Party(Http2Role.Client);
        Party.Exchange(client, server);
        Assert.True(client.Connection.PeerAllowsExtendedConnect);
        var stream = client.Connection.Open(null)!;
        client.Head(stream, false, (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/chat"), (":authority", "a"));
        Party.Exchange(client, server);
        server.Head(server.Streams[1], false, (":status", "200"));
        server.Connection.SendData(server.Streams[1], "from server"u8, endStream: false);
        client.Connection.SendData(stream, "from client"u8, endStream: false);
        Party.Exchange(client, server);
        Assert.Equal(["request 1 CONNECT https a /chat", "data 1 from client"], server.Heard);
        Assert.Equal(["response 1 200", "data 1 from server"], client.Heard);
    }

    [Fact]
    public void Extended_connect_that_was_not_announced_is_refused()
    {
        var client = new Party(Http2Role.Client);
        var stream = client.Connection.Open(null)!;
        client.Head(stream, false, (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/chat"), (":authority", "a"));
        Party.Exchange(client, _server);
        Assert.Equal(["reset 1 ProtocolError Peer", "closed 1"], client.Heard);
        Assert.Equal(MessageFault.ExtendedConnect, _server.Connection.LastFault);
    }

    [Fact]
    public void A_plain_connect_is_a_request_with_an_authority_alone()
    {
        var client = new Party(Http2Role.Client);
        var stream = client.Connection.Open(null)!;
        client.Head(stream, false, (":method", "CONNECT"), (":authority", "a:443"));
        Party.Exchange(client, _server);
        Assert.Equal(["request 1 CONNECT  a:443 "], _server.Heard);
    }

    [Fact]
    public void A_ping_comes_back_with_what_it_carried()
    {
        var client = new Party(Http2Role.Client);
        client.Connection.Ping(42);
        Party.Exchange(client, _server);
        Assert.Equal(["pong 42"], client.Heard);
    }

    [Fact]
    public void A_connection_that_is_closed_ends_every_stream_and_takes_nothing_more()
    {
        var client = new Party(Http2Role.Client);
        var stream = client.Request(false);
        client.Connection.Close(Http2ErrorCode.InternalError, "enough");
        Assert.Equal(["reset 1 InternalError Connection", "closed 1"], client.Heard);
        Assert.Equal(0, client.Connection.SendData(stream, "x"u8, endStream: true));
        Assert.False(client.Connection.BeginHeaders(stream));
        Assert.False(client.Connection.Receive(RawFrame.OfSettings().Encode(), 0));
        Assert.True(client.Connection.IsOver);
        Party.Carry(client, _server);
        Assert.Equal("goaway InternalError enough", _server.Heard[^1]);
    }

    [Fact]
    public void A_client_that_drains_opens_nothing_and_lets_the_rest_finish()
    {
        var client = new Party(Http2Role.Client);
        client.Request(true);
        client.Connection.BeginDrain();
        Assert.False(client.Connection.CanOpen);
        Assert.False(client.Connection.IsOver);
        Party.Exchange(client, _server);
        _server.Head(_server.Streams[1], true, (":status", "204"));
        Party.Exchange(client, _server);
        Assert.True(client.Connection.IsOver);
    }

    [Fact]
    public void A_request_that_was_opened_but_not_sent_when_goaway_came_is_not_sent()
    {
        var client = new Party(Http2Role.Client);
        var stream = client.Connection.Open(null)!;
        client.Connection.Receive([.. RawFrame.OfSettings().Encode(), .. new RawFrame(RawFrame.GoAway, 0, 0, new byte[8]).Encode()], 0);
        Assert.False(client.Connection.BeginHeaders(stream));
        client.Connection.Reset(stream, Http2ErrorCode.Cancel);
        Assert.Equal(["goaway NoError", "closed 0"], client.Heard);
        Assert.True(client.Connection.IsOver);
    }

    [Fact]
    public void Headers_longer_than_a_frame_are_continued_and_arrive_whole()
    {
        var client = new Party(Http2Role.Client);
        client.Request(true, ("x-a", new string('a', 20_000)), ("x-b", new string('b', 30_000)));
        Party.Exchange(client, _server);
        Assert.Equal($"request 1 POST http a / x-a={new string('a', 20_000)} x-b={new string('b', 30_000)} end", _server.Heard.Single());
        Assert.Equal(3, _server.Connection.Pool.Counters.ContinuationFrames);
    }
}
