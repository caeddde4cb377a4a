// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Google.Protobuf.WellKnownTypes;
using Weft.Protocols.Http2;
using Weft.Proxy.Control;
using Xunit;

namespace Weft.Proxy.Tests.Control;

/// <summary>Calls against a server of ours in memory that answers each message with its bytes.</summary>
public sealed class GrpcCallTests
{
    private readonly Echo _echo = new();
    private readonly Http2Connection _client;
    private readonly Http2Connection _server;
    private readonly List<string> _heard = [];

    public GrpcCallTests()
    {
        _client = new Http2Connection(Http2Role.Client, Http2Limits.Default, new Calls());
        _server = new Http2Connection(Http2Role.Server, Http2Limits.Default, _echo);
        _echo.Connection = _server;
    }

    [Fact]
    public void A_message_far_over_the_windows_comes_back_whole()
    {
        var text = new string('m', 300_000);
        var call = Open();
        Assert.True(call.Send(new StringValue { Value = text }, isLast: true));
        CarryAll();
        Assert.Equal([text, "ended well"], _heard);
    }

    [Fact]
    public void A_status_that_is_not_0_is_told_with_its_unescaped_text()
    {
        _echo.Status = "7";
        Open().Send(new StringValue { Value = "x" }, isLast: true);
        CarryAll();
        Assert.Equal("ended: status 7: not you", _heard[^1]);
    }

    [Fact]
    public void A_message_over_the_limit_ends_the_call()
    {
        Open(maxMessage: 10).Send(new StringValue { Value = new string('y', 100) }, isLast: true);
        CarryAll();
        Assert.Equal(["ended: a message of it cannot be read (TooLarge)"], _heard);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Messages_that_wait_are_bounded(int over, bool taken)
    {
        var call = Open();

        // Five bytes of protobuf stand before the text.
        var message = new StringValue { Value = new string('z', GrpcCall.MaxUnsentBytes - 5 + over) };
        Assert.Equal(taken, call.Send(message, isLast: true));
    }

    [Fact]
    public void A_cancelled_call_says_no_more()
    {
        var call = Open();
        call.Send(new StringValue { Value = "a" }, isLast: false);
        call.Cancel();
        CarryAll();
        Assert.Empty(_heard);
        Assert.Equal(0, _client.OpenStreams);
        Assert.False(call.Send(new StringValue(), isLast: true));
    }

    private GrpcCall Open(int maxMessage = 1 << 20) => GrpcCall.Open(
        _client,
        "/p.S/M",
        "token",
        maxMessage,
        message => _heard.Add(StringValue.Parser.ParseFrom(message.Span).Value),
        reason => _heard.Add(reason is null ? "ended well" : $"ended: {reason}"))!;

    private void CarryAll()
    {
        while (_client.Output.Length + _server.Output.Length > 0)
        {
            Carry(_client, _server);
            Carry(_server, _client);
        }
    }

    private static void Carry(Http2Connection from, Http2Connection to)
    {
        var bytes = from.Output.ToArray();
        from.Sent(bytes.Length);
        to.Receive(bytes, 0);
    }

    private abstract class Listener : IHttp2Events
    {
        public virtual void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
        {
        }

        public virtual void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream)
        {
        }

        public virtual void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
        {
        }

        public virtual void OnTrailers(Http2Stream stream, in Http2Fields fields)
        {
        }

        public virtual void OnWritable(Http2Stream stream)
        {
        }

        public virtual void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by)
        {
        }

        public void OnClosed(Http2Stream stream)
        {
        }

        public void OnSettings()
        {
        }

        public void OnGoAway(Http2ErrorCode code, ReadOnlySpan<byte> text)
        {
        }

        public void OnPong(ulong payload)
        {
        }
    }

    private sealed class Calls : Listener
    {
        public override void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream) =>
            ((GrpcCall)stream.Owner!).TakeHead(fields, endStream);

        public override void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream) =>
            ((GrpcCall)stream.Owner!).TakeData(stream, data, endStream);

        public override void OnTrailers(Http2Stream stream, in Http2Fields fields) => ((GrpcCall)stream.Owner!).TakeHead(fields, isEnd: true);

        public override void OnWritable(Http2Stream stream) => ((GrpcCall)stream.Owner!).SendMore();

        public override void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by) => ((GrpcCall)stream.Owner!).TakeReset(code);
    }

    private sealed class Echo : Listener
    {
        private readonly MemoryStream _body = new();
        private int _sent;

        public Http2Connection Connection { get; set; } = null!;

        public string Status { get; set; } = "0";

        public override void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
        {
            Assert.True(fields.TryGet("authorization"u8, out var token));
            Assert.Equal("Bearer token", Encoding.ASCII.GetString(token));
        }

        public override void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
        {
            _body.Write(data);
            Connection.Consume(stream, data.Length);
            if (endStream)
            {
                Connection.BeginHeaders(stream);
                Connection.Header(":status"u8, "200"u8);
                Connection.EndHeaders(endStream: false);
                OnWritable(stream);
            }
        }

        public override void OnWritable(Http2Stream stream)
        {
            _sent += Connection.SendData(stream, _body.ToArray().AsSpan(_sent), endStream: false);
            if (_sent == _body.Length && Connection.BeginHeaders(stream))
            {
                Connection.Header("grpc-status"u8, Encoding.ASCII.GetBytes(Status));
                Connection.Header("grpc-message"u8, "not%20you"u8);
                Connection.EndHeaders(endStream: true);
            }
        }
    }
}
