// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Plan;
using Weft.Proxy.Telemetry;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Limits of size through a running proxy: as much as allowed is forwarded, one more is refused and counted.</summary>
public sealed class SizeLimitTests
{
    private const string Start = "GET / HTTP/1.1\r\nhost: a\r\n";
    private const string Chunked = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

    private static readonly HttpLimitsPlan _small = new() { MaxHeadKilobytes = 10, MaxFields = 20, MaxBodyBytes = 1000 };

    public static TheoryData<string, string, string, int> Table() => new()
    {
        { "HeadBytes", Head(10 * 1024), Head((10 * 1024) + 1), 431 },
        { "HeadFields", $"{Start}{Repeat("x: 1\r\n", 19)}\r\n", $"{Start}{Repeat("x: 1\r\n", 20)}\r\n", 431 },
        { "TargetBytes", Target(8192), Target(8193), 414 },
        { "MethodBytes", $"{Repeat("A", 32)}{Start[3..]}\r\n", $"{Repeat("A", 33)}{Start[3..]}\r\n", 400 },
        { "LeadingEmptyLines", $"{Repeat("\r\n", 4)}{Start}\r\n", $"{Repeat("\r\n", 5)}{Start}\r\n", 400 },
        { "ConnectionOptions", $"{Start}connection: a{Repeat(",a", 31)}\r\n\r\n", $"{Start}connection: a{Repeat(",a", 32)}\r\n\r\n", 400 },
        { "ChunkLineBytes", $"{Chunked}1;{Repeat("a", 254)}\r\nx\r\n0\r\n\r\n", $"{Chunked}1;{Repeat("a", 255)}\r\nx\r\n0\r\n\r\n", 400 },
        { "ChunkExtensionBytes", Extensions(16 * 1024), Extensions((16 * 1024) + 1), 400 },
        { "TrailerBytes", Trailer(8 * 1024), Trailer((8 * 1024) + 1), 431 },
        { "TrailerFields", $"{Chunked}0\r\n{Repeat("x: 1\r\n", 32)}\r\n", $"{Chunked}0\r\n{Repeat("x: 1\r\n", 33)}\r\n", 431 },
        { "BodyBytes", Sized(1000), Sized(1001), 413 },
        { "BodyBytes", $"{Chunked}3e8\r\n{Repeat("x", 1000)}\r\n0\r\n\r\n", $"{Chunked}3e8\r\n{Repeat("x", 1000)}\r\n1\r\nx\r\n0\r\n\r\n", 413 },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void As_much_as_allowed_is_taken_and_one_more_is_refused(string name, string allowed, string refused, int status)
    {
        var limit = Enum.Parse<ProxyLimit>(name);
        using var origin = Server();
        using var proxy = new LimitedProxy(origin, _small);
        using var client = proxy.Connect();
        client.Write(allowed);
        Assert.StartsWith("HTTP/1.1 200 ", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(0, proxy.Hits(limit));
        client.Write(refused);
        var answer = client.ReadMessage()!;
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Equal("close", Peer.Header(answer, "connection"));
        Assert.Equal("", client.ReadToEnd());
        Assert.Equal(1, proxy.Hits(limit));
    }

    [Fact]
    public void A_body_that_is_announced_too_long_is_refused_before_any_of_it_is_sent()
    {
        using var origin = Server();
        using var proxy = new LimitedProxy(origin, _small);
        using var client = proxy.Connect();
        client.Write("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 99999999999\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 413 ", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);
    }

    [Fact]
    public void A_route_may_take_more_than_its_chain_or_less()
    {
        using var origin = Server();
        foreach (var own in new[] { 500, 2000 })
        {
            using var proxy = new LimitedProxy(origin, _small, route => route with { MaxBodyBytes = own });
            using var client = proxy.Connect();
            client.Write(Sized(own));
            Assert.StartsWith("HTTP/1.1 200 ", client.ReadMessage(), StringComparison.Ordinal);
            client.Write(Sized(own + 1));
            Assert.StartsWith("HTTP/1.1 413 ", client.ReadMessage(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_limit_has_a_name_and_its_hits_are_a_metric()
    {
        Assert.Equal(
            Enum.GetValues<ProxyLimit>().Where(limit => limit != ProxyLimit.None).Order(), ProxyLimits.All.Select(row => row.Limit).Order());
        Assert.Equal(ProxyLimits.All.Count, ProxyLimits.All.Select(row => row.Name).Distinct().Count());
        var metrics = new LoopMetrics(new WorkloadNamePlan("", "", "", "", "", "", "", ""));
        metrics.Hit(ProxyLimit.BodyRate);
        var text = new MetricsText();
        text.AddLoops([metrics, metrics]);
        Assert.Contains("weft_limit_hits_total{limit=\"body_rate\"} 2\n", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("weft_limit_hits_total{limit=\"head_time\"} 0\n", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_reference_has_the_limits_as_they_are_in_every_case()
    {
        var path = RepositoryRoot.File("docs", "reference", "limits.md");
        var page = File.ReadAllText(path);
        var begin = page.IndexOf("<!-- limits -->\n", StringComparison.Ordinal) + "<!-- limits -->\n".Length;
        var end = page.IndexOf("<!-- /limits -->", StringComparison.Ordinal);
        var rows = ProxyLimits.All.Select(row => $"| `{row.Name}` | {row.Default} | {row.Setting} | {row.Effect} |\n");
        var table = $"| name | default | setting | one more |\n|---|---|---|---|\n{string.Concat(rows)}";
        if (CaseFile.Accepting)
        {
            File.WriteAllText(path, page[..begin] + table + page[end..]);
            return;
        }

        Assert.Equal(table, page[begin..end]);
    }

    private static TestOrigin Server() => new(peer =>
    {
        while (peer.ReadHead() is { } head)
        {
            if (Peer.Header(head, "transfer-encoding") is not null)
            {
                RecordingOrigin.ReadChunks(peer);
            }
            else
            {
                peer.Read(int.Parse(Peer.Header(head, "content-length") ?? "0", CultureInfo.InvariantCulture));
            }

            peer.Write(TestOrigin.Response("ok"));
        }
    });

    private static string Head(int size) => $"{Start}x: {Repeat("a", size - Start.Length - "x: \r\n\r\n".Length)}\r\n\r\n";

    private static string Target(int size) => $"GET /{Repeat("a", size - 1)}{Start[5..]}\r\n";

    private static string Sized(int size) => $"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n{Repeat("x", size)}";

    private static string Trailer(int size) => $"{Chunked}0\r\nx: {Repeat("a", size - "x: \r\n\r\n".Length)}\r\n\r\n";

    /// <summary>Chunks with extensions of 128 bytes each, the last one with the rest.</summary>
    private static string Extensions(int size)
    {
        const int Each = 128;
        var rest = size - (((size / Each) - 1) * Each);
        return $"{Chunked}{Repeat($"1;{Repeat("a", Each - 1)}\r\nx\r\n", (size / Each) - 1)}1;{Repeat("a", rest - 1)}\r\nx\r\n0\r\n\r\n";
    }

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
