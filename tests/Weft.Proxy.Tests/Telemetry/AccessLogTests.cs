// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;
using Xunit;

namespace Weft.Proxy.Tests.Telemetry;

public sealed class AccessLogTests
{
    private readonly MemoryStream _written = new();

    [Fact]
    public void The_text_is_Istios_default_line()
    {
        using var log = new AccessLog(_written, new TextLogFormat(), 1);
        log.Loops[0].Write(Request());
        Assert.Equal(
            "[2026-01-02T03:04:05.678Z] \"GET /reviews?id=1 HTTP/1.1\" 200 - via_upstream - \"-\" 0 379 12 9 \"10.0.0.9\" \"curl/8\" "
            + "\"6f1c\" \"reviews:9080\" \"10.244.0.7:9080\" outbound|9080||reviews 10.244.0.5:40000 10.96.0.7:9080 10.244.0.5:50000 "
            + "outbound_.9080_._.reviews default\n",
            Flushed(log));
    }

    [Fact]
    public void A_request_over_http2_is_called_so()
    {
        using var log = new AccessLog(_written, new TextLogFormat(), 1);
        log.Loops[0].Write(new RequestRecord { StartUtc = DateTime.UnixEpoch, IsHttp2 = true });
        Assert.Contains(" HTTP/2\" 0 ", Flushed(log), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_is_a_dash()
    {
        using var log = new AccessLog(_written, new TextLogFormat(), 1);
        log.Loops[0].Write(new RequestRecord { StartUtc = DateTime.UnixEpoch, Flags = "DC" });
        Assert.Equal(
            "[1970-01-01T00:00:00.000Z] \"- - HTTP/1.1\" 0 DC - - \"-\" 0 0 0 - \"-\" \"-\" \"-\" \"-\" \"-\" - - - - - -\n", Flushed(log));
    }

    [Fact]
    public void A_tunnel_has_a_line_of_the_same_fields()
    {
        using var log = new AccessLog(_written, new TextLogFormat(), 1);
        log.Loops[0].Write(new TunnelRecord
        {
            StartUtc = DateTime.UnixEpoch,
            Flags = "UF",
            TransportFailure = "connection refused",
            ReceivedBytes = 5,
            SentBytes = 6,
            Duration = TimeSpan.FromMilliseconds(7),
            Connection = new ConnectionFactsRecord { Cluster = "outbound|3306||db", UpstreamHost = Address("fd00::7", 3306) },
        });
        Assert.Equal(
            "[1970-01-01T00:00:00.000Z] \"- - -\" 0 UF - - \"connection refused\" 5 6 7 - \"-\" \"-\" \"-\" \"-\" \"[fd00::7]:3306\" "
            + "outbound|3306||db - - - - -\n",
            Flushed(log));
    }

    [Fact]
    public void Json_has_Istios_keys_and_can_be_read_whatever_a_client_sends()
    {
        using var log = new AccessLog(_written, new JsonLogFormat(), 1);
        var record = Request();
        record.UserAgent = "a\"b\\c\td\xe9 \xff €"u8;
        log.Loops[0].Write(record);
        log.Loops[0].Write(new TunnelRecord { StartUtc = DateTime.UnixEpoch });
        var lines = Flushed(log).TrimEnd('\n').Split('\n');
        var line = JsonNode.Parse(lines[0])!.AsObject();
        Assert.Equal("a\"b\\c\tdé ÿ €", (string?)line["user_agent"]);
        Assert.Equal(200, (int)line["response_code"]!);
        Assert.Equal("2026-01-02T03:04:05.678Z", (string?)line["start_time"]);
        Assert.Equal("10.244.0.7:9080", (string?)line["upstream_host"]);
        Assert.Equal("default", (string?)line["route_name"]);
        Assert.Null(JsonNode.Parse(lines[1])!["method"]);
        Assert.Equal(
            line.Select(pair => pair.Key).Order(StringComparer.Ordinal),
            JsonNode.Parse(lines[1])!.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal));
        Assert.Equal(24, line.Count);
    }

    [Fact]
    public void Bytes_that_are_no_text_do_not_break_json()
    {
        using var log = new AccessLog(_written, new JsonLogFormat(), 1);
        var random = new Random(5);
        for (var i = 0; i < 200; i++)
        {
            var bytes = new byte[random.Next(1, 400)];
            random.NextBytes(bytes);
            var record = Request();
            record.Path = bytes;
            record.Authority = bytes;
            log.Loops[0].Write(record);
            Assert.NotNull(JsonNode.Parse(Flushed(log)));
            _written.SetLength(0);
        }
    }

    [Fact]
    public void A_long_field_is_cut()
    {
        using var log = new AccessLog(_written, new TextLogFormat(), 1);
        var record = Request();
        record.Path = new byte[LogLine.MaxField + 1000].AsSpan();
        log.Loops[0].Write(record);
        Assert.Equal(LogLine.MaxField, Flushed(log).Count(c => c == '\0'));
    }

    [Fact]
    public void A_log_that_is_not_emptied_drops_whole_lines_and_counts_them()
    {
        using var log = new AccessLog(_written, new TextLogFormat(), 1);
        log.Loops[0].Write(Request());
        var length = log.Loops[0].Ring.Waiting;
        var fits = LogRing.Capacity / length;
        for (var i = 1; i < fits + 5; i++)
        {
            log.Loops[0].Write(Request());
        }

        Assert.Equal(5, log.Dropped);
        var text = Flushed(log);
        Assert.Equal(fits * length, text.Length);
        Assert.Equal(fits, text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).Count() * fits);
    }

    [Fact]
    public void The_ring_gives_back_what_was_put_in_for_lines_of_any_length()
    {
        var ring = new LogRing();
        var random = new Random(1);
        var expected = new MemoryStream();
        for (var i = 0; i < 20_000; i++)
        {
            var line = new byte[random.Next(1, 900)];
            random.NextBytes(line);
            if (ring.TryWrite(line))
            {
                expected.Write(line);
            }

            if (random.Next(100) == 0)
            {
                ring.Drain(_written);
            }
        }

        ring.Drain(_written);
        Assert.Equal(expected.ToArray(), _written.ToArray());
    }

    [Fact]
    public void A_thread_writes_what_loops_put_in_and_a_broken_stream_stops_nobody()
    {
        using var log = new AccessLog(new BrokenStream(), new TextLogFormat(), 2);
        log.Start();
        for (var i = 0; i < 5000; i++)
        {
            log.Loops[i % 2].Write(Request());
        }

        Assert.True(SpinWait.SpinUntil(() => log.Loops.All(loop => loop.Ring.Waiting == 0), TimeSpan.FromSeconds(10)));
        Assert.True(log.FailedWrites > 0);
    }

    [Fact]
    public void A_line_that_comes_while_the_log_sleeps_is_written()
    {
        using var log = new AccessLog(new BrokenStream(), new TextLogFormat(), 2);
        log.Start();
        for (var i = 0; i < 10; i++)
        {
            log.Loops[i % 2].Write(Request());
            Assert.True(SpinWait.SpinUntil(() => log.Loops.All(loop => loop.Ring.Waiting == 0), TimeSpan.FromSeconds(10)));
        }

        Assert.Equal(10, log.FailedWrites);
    }

    [Fact]
    public void The_writer_is_told_once_of_a_reader_that_sleeps_which_it_may_while_nothing_waits()
    {
        var ring = new LogRing();
        Assert.False(ring.TakeSleeping());
        Assert.True(ring.ReaderMaySleep());
        Assert.True(ring.TryWrite("line"u8));
        Assert.True(ring.TakeSleeping());
        Assert.False(ring.TakeSleeping());
        Assert.False(ring.ReaderMaySleep());
    }

    [Fact]
    public void Stopping_writes_what_waits()
    {
        var log = new AccessLog(_written, new TextLogFormat(), 1);
        log.Start();
        log.Loops[0].Write(Request());
        log.Dispose();
        Assert.NotEmpty(_written.ToArray());
    }

    [Fact]
    public void Without_a_path_there_is_no_log() => Assert.Null(AccessLog.Open("", json: false, 1));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Writing_a_line_allocates_nothing(bool json)
    {
        using var log = new AccessLog(_written, json ? new JsonLogFormat() : new TextLogFormat(), 1);
        var record = Request();
        log.Loops[0].Write(record);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            log.Loops[0].Write(record);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static RequestRecord Request() => new()
    {
        StartUtc = new DateTime(2026, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc),
        Duration = TimeSpan.FromMilliseconds(12.9),
        Status = 200,
        Details = "via_upstream",
        Method = "GET"u8,
        Path = "/reviews?id=1"u8,
        Authority = "reviews:9080"u8,
        ForwardedFor = "10.0.0.9"u8,
        UserAgent = "curl/8"u8,
        RequestId = "6f1c"u8,
        ResponseBytes = 379,
        UpstreamServiceMs = 9,
        Route = "default",
        Connection = new ConnectionFactsRecord
        {
            Cluster = "outbound|9080||reviews",
            ServerName = "outbound_.9080_._.reviews",
            UpstreamHost = Address("10.244.0.7", 9080),
            UpstreamLocal = Address("10.244.0.5", 40000),
            DownstreamLocal = Address("10.96.0.7", 9080),
            DownstreamRemote = Address("10.244.0.5", 50000),
        },
    };

    private static IpEndpoint Address(string address, int port)
    {
        Assert.True(IpEndpoint.TryParse(address, port, out var endpoint));
        return endpoint;
    }

    private string Flushed(AccessLog log)
    {
        log.Flush();
        return Encoding.UTF8.GetString(_written.ToArray());
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("no space left on device");
    }
}
