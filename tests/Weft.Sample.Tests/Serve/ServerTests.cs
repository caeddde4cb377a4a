// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Sample.Http;

namespace Weft.Sample.Tests.Serve;

public sealed class ServerTests
{
    [Fact]
    public async Task An_answer_says_service_version_and_pod_from_the_host_name()
    {
        await using var sample = new RunningSample();
        var answer = await RunningSample.JsonAsync(sample.Url);
        Assert.Equal("reviews-v2", (string?)answer["service"]);
        Assert.Equal("v2", (string?)answer["version"]);
        Assert.Equal("reviews-v2-7d9fcc64b8-x2x9k", (string?)answer["pod"]);
    }

    [Fact]
    public async Task Calls_are_made_with_the_trace_headers_and_shown_in_the_answer()
    {
        await using var ratings = new RunningSample("--name", "ratings");
        await using var web = new RunningSample("--name", "web", "--calls", $"{ratings.Url},http://127.0.0.1:1/");
        var answer = await RunningSample.JsonAsync(
            web.Url, new("x-request-id", "r1"), new("x-b3-traceid", "t1"), new("traceparent", "00-a-b-01"), new("authorization", "Bearer x"), new("cookie", "c"));
        var inner = answer["calls"]![0]!["answer"]!;
        Assert.Equal("ratings", (string?)inner["service"]);
        Assert.Equal("r1", (string?)inner["headers"]!["x-request-id"]);
        Assert.Equal("t1", (string?)inner["headers"]!["x-b3-traceid"]);
        Assert.Equal("00-a-b-01", (string?)inner["headers"]!["traceparent"]);
        Assert.Equal(0, (int)answer["calls"]![1]!["status"]!);
        Assert.Contains("refused", (string?)answer["calls"]![1]!["error"], StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_share_of_answers_fails_on_purpose()
    {
        await using var sample = new RunningSample("--fail-rate", "50%");
        using var pool = new CallPool(reuse: true);
        var failed = 0;
        for (var i = 0; i < 200; i++)
        {
            failed += (await pool.AskAsync(Call.Get(sample.Url, []), CancellationToken.None)).Status == 500 ? 1 : 0;
        }

        Assert.InRange(failed, 70, 130);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n")]
    public async Task What_is_not_http_is_refused_with_400(string text)
    {
        await using var sample = new RunningSample();
        Assert.StartsWith("HTTP/1.1 400 ", await SendRawAsync(sample.Url.Port, text), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chunked_body_that_comes_byte_by_byte_is_echoed_whole()
    {
        await using var sample = new RunningSample();
        var answer = await SendRawAsync(
            sample.Url.Port, "POST /echo HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", oneByOne: true);
        Assert.Contains("\"body\":\"abcde\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_over_the_limit_is_refused()
    {
        await using var sample = new RunningSample();
        var answer = await SendRawAsync(sample.Url.Port, "GET / HTTP/1.1\r\nx: " + new string('a', MessageReader.MaxHeadBytes + 1));
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_finishes_the_answer_that_is_under_way()
    {
        // The gate holds the answer back until the service has been told to stop.
        using var gate = new TcpListener(IPAddress.Loopback, 0);
        gate.Start();
        await using var sample = new RunningSample("--calls", $"http://127.0.0.1:{((IPEndPoint)gate.LocalEndpoint).Port}/");
        var url = sample.Url;
        var asked = RunningSample.JsonAsync(url);
        using var call = await gate.AcceptSocketAsync();
        var stopped = sample.StopAsync();
        await call.SendAsync("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"u8.ToArray());
        Assert.Equal("hi", (string?)(await asked)["calls"]![0]!["answer"]);
        await stopped;
        using var pool = new CallPool(reuse: false);
        await Assert.ThrowsAnyAsync<SocketException>(() => pool.AskAsync(Call.Get(url, []), CancellationToken.None));
    }

    private static async Task<string> SendRawAsync(int port, string text, bool oneByOne = false)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var i = 0; i < bytes.Length; i += oneByOne ? 1 : bytes.Length)
        {
            await socket.SendAsync(bytes.AsMemory(i, oneByOne ? 1 : bytes.Length));
        }

        var answer = new StringBuilder();
        var buffer = new byte[4096];
        int got;
        try
        {
            while ((got = await socket.ReceiveAsync(buffer)) > 0)
            {
                answer.Append(Encoding.UTF8.GetString(buffer, 0, got));
            }
        }
        catch (SocketException)
        {
            // The rest of what we sent was not wanted; the answer came before.
        }

        return answer.ToString();
    }
}
