// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>
/// The hostile answers of tests/cases/hostile/responses through a running proxy. Behind each the client asks for something harmless, on
/// the same connection if it stayed: it must get that, whatever the server had sent ahead.
/// </summary>
public sealed class ResponseCaseTests
{
    private const string OwnAnswer = "upstream connect error or disconnect/reset before headers. reset reason:";

    private static readonly string[] _additions = ["date", "server", "x-envoy-upstream-service-time"];

    public static TheoryData<string> Tables() => HostileTable.Find("responses");

    [Theory]
    [MemberData(nameof(Tables))]
    public void Each_case_is_answered_once_and_never_to_somebody_else(string path)
    {
        var file = CaseFile.Load(path);
        var verdicts = new StringBuilder();
        foreach (var row in HostileTable.Rows(file))
        {
            verdicts.Append(row.Number).Append(' ').Append(Play(row)).Append('\n');
        }

        file.Check(("proxy", verdicts.ToString()));
    }

    [Fact]
    public void An_answer_on_an_idle_connection_is_nobodys()
    {
        using var poison = new ManualResetEventSlim();
        using var closed = new ManualResetEventSlim();
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            peer.Write(TestOrigin.Response("first"));
            poison.Wait();
            peer.Write(TestOrigin.Response("poison"));
            Assert.Equal("", peer.ReadToEnd());
            closed.Set();
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.EndsWith("first", client.ReadMessage(), StringComparison.Ordinal);
        poison.Set();

        // The server sees its connection closed; the next request gets one of its own.
        Assert.True(closed.Wait(TimeSpan.FromSeconds(10)));
        client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.EndsWith("first", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(2, origin.Connections);
    }

    private static string Play(HostileRow row)
    {
        var connections = 0;
        var last = 0;
        using var origin = new TestOrigin(peer =>
        {
            var connection = Interlocked.Increment(ref connections);
            while (peer.ReadRequest() is { } request)
            {
                if (request.Contains("/marker", StringComparison.Ordinal))
                {
                    Volatile.Write(ref last, connection);
                    peer.Write(TestOrigin.Response("marker"));
                    continue;
                }

                peer.Write(row.Bytes);
                if (row.Name.EndsWith("and ends", StringComparison.Ordinal))
                {
                    return;
                }
            }
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("origin"))
            .With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        var isHead = row.Name.StartsWith("HEAD", StringComparison.Ordinal);
        client.Write($"{(isHead ? "HEAD" : "GET")} /r HTTP/1.1\r\nHost: a.test\r\n\r\n");
        var answer = ReadAnswer(client, isHead, out var open);
        if (!open)
        {
            using var another = Peer.Connect(port);
            return $"{answer}, closed, server {Ask(another)}";
        }

        return $"{answer}, open, server {Ask(client)}";

        string Ask(Peer peer)
        {
            peer.Write("GET /marker HTTP/1.1\r\nHost: a.test\r\n\r\n");
            Assert.EndsWith("\r\n\r\nmarker", peer.ReadMessage(), StringComparison.Ordinal);
            return Volatile.Read(ref last) == 1 ? "kept" : "dropped";
        }
    }

    private static string ReadAnswer(Peer client, bool isHead, out bool open)
    {
        var words = new List<string>();
        while (true)
        {
            var head = client.ReadHead();
            if (head is null)
            {
                open = false;
                return "breaks off";
            }

            var status = head.Split(' ')[1];
            words.Add(status);
            if (status[0] == '1' && words.Count < 100)
            {
                continue;
            }

            open = Peer.Header(head, "connection") != "close";
            var body = isHead || status is "204" or "304" ? "" : ReadBody(client, head, ref open);
            if (body.StartsWith(OwnAnswer, StringComparison.Ordinal))
            {
                return $"{Shorten(words)} of the proxy:{body[OwnAnswer.Length..]}";
            }

            var fields = head.TrimEnd().Split("\r\n")[1..]
                .Where(line => !_additions.Contains(line.Split(':')[0].ToLowerInvariant()) || line.StartsWith("Server", StringComparison.Ordinal));
            return $"{Shorten(words)} | {string.Join(" | ", fields.Select(HostileTable.Escape))} {HostileTable.Escape(body)}";
        }
    }

    private static string Shorten(List<string> statuses) =>
        statuses.Count > 3 ? $"{statuses.Count - 1} x {statuses[0]}, {statuses[^1]}" : string.Join(", ", statuses);

    private static string ReadBody(Peer client, string head, ref bool open)
    {
        try
        {
            return Peer.Header(head, "transfer-encoding") is null
                ? ReadLength(client, int.Parse(Peer.Header(head, "content-length")!, System.Globalization.CultureInfo.InvariantCulture))
                : RecordingOrigin.ReadChunks(client);
        }
        catch (IOException)
        {
            open = false;
            return "(breaks off)";
        }
    }

    private static string ReadLength(Peer client, int length)
    {
        var body = client.Read(length);
        return body.Length == length ? body : throw new EndOfStreamException();
    }
}
