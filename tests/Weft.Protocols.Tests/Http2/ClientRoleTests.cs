// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http2;
using Weft.Testing.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

/// <summary>The client's side against servers that send exactly what a case says.</summary>
public sealed class ClientRoleTests
{
    private static readonly (string, string)[] _ok = [(":status", "200")];

    // What the client asks for, what the server sends (after its SETTINGS), what the client's caller hears.
    private static readonly Dictionary<string, (string Method, RawFrame[] Frames, string Heard)> _cases = new()
    {
        ["A plain answer"] = ("GET", [Head(false, [.. _ok, ("content-length", "4")]), Data(4, true)], "response 1 200 content-length=4 | data 1 4 end | closed 1"),
        ["An interim answer"] = ("GET", [Head(false, [(":status", "103"), ("link", "x")]), Head(true, [(":status", "204")])], "response 1 103 link=x | response 1 204 end | closed 1"),
        ["Trailers alone"] = ("POST", [Head(true, [.. _ok, ("grpc-status", "0")])], "response 1 200 grpc-status=0 end"),
        ["HEAD with a length"] = ("HEAD", [Head(true, [.. _ok, ("content-length", "99")])], "response 1 200 content-length=99 end | closed 1"),
        ["HEAD with content"] = ("HEAD", [Head(false, [.. _ok, ("content-length", "4")]), Data(4, true)], "response 1 200 content-length=4 | reset 1 ProtocolError Rule | closed 1"),
        ["HEAD with an empty end"] = ("HEAD", [Head(false, _ok), Data(0, true)], "response 1 200 | data 1 0 end | closed 1"),
        ["304 with a length"] = ("GET", [Head(true, [(":status", "304"), ("content-length", "99")])], "response 1 304 content-length=99 end | closed 1"),
        ["204 with content"] = ("GET", [Head(false, [(":status", "204")]), Data(4, true)], "response 1 204 | reset 1 ProtocolError Rule | closed 1"),
        ["A tunnel whose answer has a length"] = ("CONNECT", [Head(false, [.. _ok, ("content-length", "0")]), Data(4, false)], "response 1 200 content-length=0 | data 1 4"),
        ["Less content than said"] = ("GET", [Head(false, [.. _ok, ("content-length", "5")]), Data(4, true)], "response 1 200 content-length=5 | reset 1 ProtocolError Rule | closed 1"),
        ["No content where some was said"] = ("GET", [Head(true, [.. _ok, ("content-length", "5")])], "reset 1 ProtocolError Rule | closed 1"),
        ["An interim answer at the end"] = ("GET", [Head(true, [(":status", "100")])], "reset 1 ProtocolError Rule | closed 1"),
        ["Switching protocols"] = ("GET", [Head(false, [(":status", "101")])], "reset 1 ProtocolError Rule | closed 1"),
        ["No status"] = ("GET", [Head(true, [("x", "y")])], "reset 1 ProtocolError Rule | closed 1"),
        ["A status of two digits"] = ("GET", [Head(true, [(":status", "99")])], "reset 1 ProtocolError Rule | closed 1"),
        ["A status of 600"] = ("GET", [Head(true, [(":status", "600")])], "reset 1 ProtocolError Rule | closed 1"),
        ["A status twice"] = ("GET", [Head(true, [.. _ok, .. _ok])], "reset 1 ProtocolError Rule | closed 1"),
        ["A request's pseudo-header"] = ("GET", [Head(true, [.. _ok, (":path", "/")])], "reset 1 ProtocolError Rule | closed 1"),
        ["Transfer-Encoding"] = ("GET", [Head(true, [.. _ok, ("transfer-encoding", "chunked")])], "reset 1 ProtocolError Rule | closed 1"),
        ["DATA before the head"] = ("GET", [Data(4, true)], "reset 1 ProtocolError Rule | closed 1"),
        ["Refused"] = ("GET", [Number(RawFrame.ResetStream, 7)], "reset 1 RefusedStream Peer | closed 1"),
        ["Told to stop sending after a whole answer"] = ("POST", [Head(true, _ok), Number(RawFrame.ResetStream, 0)], "response 1 200 end | reset 1 NoError Peer | closed 1"),
        ["Never looked at"] = ("GET", [new RawFrame(RawFrame.GoAway, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])], "reset 1 RefusedStream NotProcessed | closed 1 | goaway NoError"),
        ["Going away after this one"] = ("GET", [new RawFrame(RawFrame.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]), Head(true, _ok)], "goaway NoError | response 1 200 end | closed 1"),
        ["A push"] = ("GET", [new RawFrame(RawFrame.PushPromise, 4, 1, [0, 0, 0, 2])], "reset 1 ProtocolError Connection | closed 1 | failed ProtocolError"),
        ["Headers of a stream nobody opened"] = ("GET", [Head(true, _ok) with { Stream = 3 }], "reset 1 ProtocolError Connection | closed 1 | failed ProtocolError"),
        ["Headers of a server's stream"] = ("GET", [Head(true, _ok) with { Stream = 2 }], "reset 1 ProtocolError Connection | closed 1 | failed ProtocolError"),
        ["DATA over the window"] = ("GET", [Head(false, _ok), .. Enumerable.Repeat(Data(16_384, false), 4)], "response 1 200 | data 1 16384 | data 1 16384 | data 1 16384 | reset 1 FlowControlError Rule | closed 1"),
        ["Push switched on"] = ("GET", [RawFrame.OfSettings((2, 1))], "reset 1 ProtocolError Connection | closed 1 | failed ProtocolError"),
        ["The end twice"] = ("POST", [Head(true, _ok), Data(1, true)], "response 1 200 end | reset 1 StreamClosed Rule | closed 1"),
        ["DATA on a stream that is over"] = ("GET", [Head(true, _ok), Data(1, true)], "response 1 200 end | closed 1 | failed StreamClosed"),
    };

    public static TheoryData<string> Names => [.. _cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_client_hears_what_the_rfc_says(string name)
    {
        var (method, frames, heard) = _cases[name];
        var client = new Party(Http2Role.Client) { Consumes = !name.Contains("window", StringComparison.Ordinal) };
        var stream = client.Connection.Open(null)!;
        client.Head(stream, method is not ("POST" or "CONNECT"), (":method", method), (":scheme", "http"), (":path", "/"), (":authority", "a"));
        client.Connection.Receive(RawFrame.OfSettings().Encode(), 0);
        client.Connection.Receive([.. frames.SelectMany(frame => frame.Encode())], 0);
        if (client.Connection.Failure is { } failure)
        {
            client.Heard.Add($"failed {failure.Code}");
        }

        Assert.Equal(heard, string.Join(" | ", client.Heard.Select(Shorten)));
    }

    [Fact]
    public void What_comes_on_a_stream_that_was_cancelled_is_dropped_and_given_back()
    {
        var client = new Party(Http2Role.Client, new Http2Limits { ConnectionWindowBytes = 65_535 });
        var stream = client.Request(true);
        client.Connection.Receive(RawFrame.OfSettings().Encode(), 0);
        client.Connection.Reset(stream, Http2ErrorCode.Cancel);
        for (var i = 0; i < 40; i++)
        {
            Assert.True(client.Connection.Receive([.. Head(false, _ok).Encode(), .. Data(16_000, false).Encode()], 0));
        }

        Assert.Equal(["closed 1"], client.Heard);
        Assert.Equal(0, client.Connection.OpenStreams);
    }

    [Fact]
    public void The_preface_and_the_settings_come_first()
    {
        var sent = new Party(Http2Role.Client, new Http2Limits { StreamWindowBytes = 100_000 }).Connection.Output;
        Assert.Equal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Encoding.ASCII.GetString(sent[..24]));

        // ENABLE_PUSH 0, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE; then the connection's window goes from 65,535 to 1 MiB.
        Assert.Equal(
            "000012" + "0400" + "00000000" + "000200000000" + "0004000186A0" + "00060000F000" + "000004" + "0800" + "00000000" + "000F0001",
            Convert.ToHexString(sent[24..]));
    }

    private static string Shorten(string word)
    {
        var parts = word.Split(' ');
        if (parts[0] != "data")
        {
            return word;
        }

        var isEnd = word.EndsWith(" end", StringComparison.Ordinal);
        return $"data {parts[1]} {word.Length - "data 1 ".Length - (isEnd ? 4 : 0)}{(isEnd ? " end" : "")}";
    }

    private static RawFrame Head(bool end, (string, string)[] fields) =>
        new(RawFrame.Headers, (byte)(RawFrame.EndHeaders | (end ? RawFrame.EndStream : 0)), 1, RawFrame.Block(fields));

    private static RawFrame Data(int length, bool end) =>
        new(RawFrame.Data, end ? RawFrame.EndStream : (byte)0, 1, [.. Enumerable.Repeat((byte)'d', length)]);

    private static RawFrame Number(byte type, uint number) => RawFrame.OfNumber(type, 1, number);
}
