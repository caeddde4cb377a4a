// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

/// <summary>A client and a server of ours with each other.</summary>
public sealed class ConnectionTests
{
    private readonly Party _client = new(Http2Role.Client);
    private readonly Party _server = new(Http2Role.Server);

    [Fact]
    public void A_request_with_body_and_an_answer_with_trailers_arrive_whole()
    {
        var stream = _client.Request(false, ("X-One", "1"), ("te", "trailers"));
        Assert.Equal(5, _client.Connection.SendData(stream, "hello"u8, endStream: true));
        Party.Exchange(_client, _server);
        var answer = _server.Streams[1];
        _server.Head(answer, false, (":status", "200"), ("content-length", "2"));
        _server.Connection.SendData(answer, "ok"u8, endStream: false);
        _server.Head(answer, true, ("grpc-status", "0"));
        Party.Exchange(_client, _server);
        Assert.Equal(["request 1 POST http a / x-one=1 te=trailers", "data 1 hello end", "closed 1"], _server.Heard);
        Assert.Equal(["response 1 200 content-length=2", "data 1 ok", "trailers 1 grpc-status=0", "closed 1"], _client.Heard);
        Assert.Equal(0, _client.Connection.OpenStreams);
        Assert.Equal(0, _server.Connection.OpenStreams);
    }

    [Fact]
    public void Cookies_become_one_field_and_host_becomes_the_authority()
    {
        _client.Request(true, ("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("host", "A"), ("cookie", "c=3"));
        Party.Exchange(_client, _server);
        Assert.Equal(["request 1 POST http a / x=y cookie=a=1; b=2; c=3 end"], _server.Heard);
    }

    [Fact]
    public void Goaway_in_two_steps_loses_no_request()
    {
        _client.Request(true);
        Party.Exchange(_client, _server);
        _server.Connection.BeginDrain();
        _client.Request(true);
        Party.Exchange(_client, _server);
        Assert.False(_client.Connection.CanOpen);
        Assert.Contains("request 3 POST http a / end", _server.Heard);
        _server.Head(_server.Streams[1], true, (":status", "204"));
        Assert.False(_server.Connection.IsOver);
        _server.Head(_server.Streams[3], true, (":status", "204"));
        Assert.True(_server.Connection.IsOver);
        Party.Exchange(_client, _server);
        Assert.True(_client.Connection.IsOver);
        Assert.Equal(["goaway NoError", "goaway NoError", "response 1 204 end", "closed 1", "response 3 204 end", "closed 3"], _client.Heard);
    }

    [Fact]
    public void A_body_waits_for_the_windows_and_goes_on_when_they_open()
    {
        _server.Consumes = false;
        var stream = _client.Request(false);
        var body = new byte[200_000];
        var sent = _client.Connection.SendData(stream, body, endStream: true);
        Assert.InRange(sent, 60_000, 65_535);
        _client.Writable = s => sent += _client.Connection.SendData(s, body.AsSpan(sent), endStream: true);
        Party.Exchange(_client, _server);
        Assert.Equal(65_535, sent);
        while (sent < body.Length || _server.Streams[1].Unconsumed > 0)
        {
            _server.Connection.Consume(_server.Streams[1], _server.Streams[1].Unconsumed);
            Party.Exchange(_client, _server);
        }

        Assert.True(_server.Streams[1].HasReceivedEnd);
        Assert.Equal(0, _server.Streams[1].Unconsumed);
    }
}
