// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tests.Http2;
using Xunit;

namespace Weft.Proxy.Tests.Filters;

/// <summary>Answers that are compressed for clients that take it, with a real server and a real client.</summary>
public abstract class CompressionTests
{
    private static readonly CompressorPlan _gzip = new(ContentCoding.Gzip, 0, 30, CompressorPlan.DefaultTypes);
    private static readonly CompressorPlan _brotli = _gzip with { Coding = ContentCoding.Brotli };
    private static readonly string _text = string.Concat(Enumerable.Range(0, 5_000).Select(n => $"line {n}\n"));

    protected CompressionTests(IoChoice io) => TestProxy.Io = io;

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("br", "br")]
    [InlineData("gzip;q=0.5, br;q=0.9", "br")]
    [InlineData("deflate, *", "gzip")]
    [InlineData("gzip;q=0, br;q=0", null)]
    [InlineData("identity", null)]
    public void A_client_gets_the_coding_that_it_likes_best(string accepted, string? coding)
    {
        using var origin = Serving("content-type: text/plain; charset=utf-8\r\netag: \"v1\"");
        using var setting = Setting(origin.Port, _gzip, _brotli);
        var (head, body) = Ask(setting.Port, $"accept-encoding: {accepted}\r\n");
        Assert.Contains("vary: accept-encoding\r\n", head, StringComparison.Ordinal);
        if (coding is null)
        {
            Assert.DoesNotContain("content-encoding", head, StringComparison.Ordinal);
            Assert.Contains("etag: \"v1\"\r\n", head, StringComparison.Ordinal);
            Assert.Equal(_text, Encoding.UTF8.GetString(body));
            return;
        }

        Assert.Contains($"content-encoding: {coding}\r\n", head, StringComparison.Ordinal);
        Assert.DoesNotContain("content-length", head, StringComparison.Ordinal);
        Assert.DoesNotContain("etag", head, StringComparison.Ordinal);
        Assert.True(body.Length < _text.Length / 2);
        Assert.Equal(_text, Unpacked(body, coding));
    }

    [Theory]
    [InlineData("content-type: image/png")]
    [InlineData("content-type: text/plain\r\ncontent-encoding: br")]
    [InlineData("content-type: text/plain\r\ncache-control: private, no-transform")]
    [InlineData("x-no: type")]
    public void What_must_not_or_need_not_be_compressed_goes_as_it_is(string lines)
    {
        using var origin = Serving(lines);
        using var setting = Setting(origin.Port, _gzip);
        var (head, body) = Ask(setting.Port, "accept-encoding: gzip\r\n");
        Assert.DoesNotContain("content-encoding: gzip", head, StringComparison.Ordinal);
        Assert.DoesNotContain("vary", head, StringComparison.Ordinal);
        Assert.Equal(_text, Encoding.UTF8.GetString(body));
    }

    [Fact]
    public void A_short_body_and_one_with_a_tag_are_spared_where_that_is_written_and_a_weak_tag_stays()
    {
        using var tagged = Serving("content-type: text/plain\r\netag: W/\"v1\"");
        using var sparing = Setting(tagged.Port, _gzip with { SparesTagged = true });
        Assert.DoesNotContain("content-encoding", Ask(sparing.Port, "accept-encoding: gzip\r\n").Head, StringComparison.Ordinal);
        using var asking = Setting(tagged.Port, _gzip);
        var head = Ask(asking.Port, "accept-encoding: gzip\r\n").Head;
        Assert.Contains("content-encoding: gzip\r\n", head, StringComparison.Ordinal);
        Assert.Contains("etag: W/\"v1\"\r\n", head, StringComparison.Ordinal);
        using var longer = Setting(tagged.Port, _gzip with { MinLength = _text.Length + 1 });
        Assert.DoesNotContain("content-encoding", Ask(longer.Port, "accept-encoding: gzip\r\n").Head, StringComparison.Ordinal);
    }

    [Fact]
    public void Servers_do_not_hear_what_clients_take_where_that_is_written()
    {
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request.Contains("accept-encoding", StringComparison.OrdinalIgnoreCase) ? "heard" : "not heard"));
        using var open = Setting(origin.Port, _gzip);
        Assert.Equal("heard", Encoding.UTF8.GetString(Ask(open.Port, "accept-encoding: gzip\r\n").Body));
        using var hidden = Setting(origin.Port, _gzip with { HidesAccepted = true });
        Assert.Equal("not heard", Encoding.UTF8.GetString(Ask(hidden.Port, "accept-encoding: gzip\r\n").Body));
    }

    [Fact]
    public void HTTP_2_gets_it_without_a_length_and_what_came_so_far_is_not_held_back()
    {
        using var sent = new ManualResetEventSlim();
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            peer.Write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n");
            Assert.True(sent.Wait(10_000));
            peer.Write("6\r\nsecond\r\n0\r\n\r\n");
        });
        using var setting = Setting(origin.Port, _gzip);
        using var client = Http2Peer.Connect(setting.Port);
        var answer = client.Get("/", "accept-encoding: gzip");
        client.Wait(() => Unpacked(Encoding.Latin1.GetBytes(answer.Body.ToString()), "gzip") == "first");
        sent.Set();
        client.Wait(answer);
        Assert.Equal("gzip", answer.Head["content-encoding"]);
        Assert.Equal("firstsecond", Unpacked(Encoding.Latin1.GetBytes(answer.Body.ToString()), "gzip"));
    }

    [Fact]
    public void A_server_that_breaks_off_leaves_no_answer_that_looks_whole()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            peer.Write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\nhalf");
        });
        using var setting = Setting(origin.Port, _gzip);
        using var client = Http2Peer.Connect(setting.Port);
        var answer = client.Get("/", "accept-encoding: gzip");
        client.Wait(answer);
        Assert.NotNull(answer.Reset);
    }

    private static FilterSetting Setting(int origin, params CompressorPlan[] plans) => new(port =>
        Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin)).Ruled(chain => chain with { Compressors = [.. plans] }));

    private static TestOrigin Serving(string lines) => TestOrigin.Answering(_ => $"HTTP/1.1 200 OK\r\n{lines}\r\ncontent-length: {_text.Length}\r\n\r\n{_text}");

    /// <summary>Over a connection of its own, to its end, so that the bytes are taken as they come.</summary>
    private static (string Head, byte[] Body) Ask(int port, string lines)
    {
        using var client = new System.Net.Sockets.TcpClient("127.0.0.1", port) { ReceiveTimeout = 10_000 };
        var stream = client.GetStream();
        stream.Write(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{lines}\r\n"));
        using var all = new MemoryStream();
        stream.CopyTo(all);
        var bytes = all.ToArray();
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        var head = Encoding.Latin1.GetString(bytes, 0, end);
        return (head, head.Contains("transfer-encoding: chunked", StringComparison.Ordinal) ? Joined(bytes.AsSpan(end)) : bytes[end..]);
    }

    private static byte[] Joined(ReadOnlySpan<byte> chunks)
    {
        using var body = new MemoryStream();
        while (true)
        {
            var line = chunks.IndexOf("\r\n"u8);
            var length = int.Parse(Encoding.ASCII.GetString(chunks[..line]), System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
            if (length == 0)
            {
                return body.ToArray();
            }

            body.Write(chunks.Slice(line + 2, length));
            chunks = chunks[(line + 2 + length + 2)..];
        }
    }

    /// <summary>As far as it has come.</summary>
    private static string Unpacked(byte[] body, string coding)
    {
        using var packed = new MemoryStream(body);
        using Stream stream = coding == "gzip" ? new GZipStream(packed, CompressionMode.Decompress) : new BrotliStream(packed, CompressionMode.Decompress);
        using var plain = new MemoryStream();
        stream.CopyTo(plain);
        return Encoding.UTF8.GetString(plain.ToArray());
    }
}

public sealed class EpollCompressionTests() : CompressionTests(IoChoice.Epoll);

public sealed class UringCompressionTests() : CompressionTests(IoChoice.Uring);
