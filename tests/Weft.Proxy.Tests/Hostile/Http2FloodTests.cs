// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tests.Conformance;
using Weft.Testing;
using Weft.Testing.Http2;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>
/// Every limit of a client's HTTP/2 connection as the proxy sets it, over sockets and on both back ends: so much is taken and the
/// connection serves on, one more ends it (or its stream) and says why.
/// </summary>
public sealed class Http2FloodTests(Http2FloodTests.Proxies proxies) : IClassFixture<Http2FloodTests.Proxies>
{
    private const int Later = 1_000_001;

    private static readonly Dictionary<string, int> _most = new()
    {
        ["MaxPeerResets"] = Http2Downstream.Limits.MaxPeerResets,
        ["MaxForcedResets"] = Http2Downstream.Limits.MaxForcedResets,
        ["MaxContinuationFrames"] = Http2Downstream.Limits.MaxContinuationFrames,
        ["MaxHeaderBlockBytes"] = Http2Downstream.Limits.MaxHeaderBlockBytes,
        ["HeaderBombFactor"] = Http2Downstream.Limits.HeaderBombFactor * Http2Downstream.Limits.MaxHeaderListBytes,
        ["HeaderBombFactor times MaxHeaderListBytes or MaxHeaderFields"] = Http2Downstream.Limits.HeaderBombFactor * Http2Downstream.Limits.MaxHeaderFields,
        ["MaxSettingsFrames"] = Http2Downstream.Limits.MaxSettingsFrames,
        ["MaxSettingsEntries"] = Http2Downstream.Limits.MaxSettingsEntries,
        ["MaxPings"] = Http2Downstream.Limits.MaxPings,
        ["MaxEmptyFrames"] = Http2Downstream.Limits.MaxEmptyFrames,
        ["MaxPriorityFrames"] = Http2Downstream.Limits.MaxPriorityFrames,
        ["MaxWindowUpdates"] = Http2Downstream.Limits.MaxWindowUpdates,
        ["MaxUnknownFrames"] = Http2Downstream.Limits.MaxUnknownFrames,
    };

    public static TheoryData<IoChoice> Backs => [.. Both];

    private static IoChoice[] Both => [IoChoice.Epoll, IoChoice.Uring];

    public static TheoryData<string, IoChoice> Floods()
    {
        var table = new TheoryData<string, IoChoice>();
        foreach (var limit in Http2Flood.All.Keys)
        {
            Array.ForEach(Both, io => table.Add(limit, io));
        }

        return table;
    }

    [Theory]
    [MemberData(nameof(Floods))]
    public void As_much_as_the_limit_says_is_taken_and_the_connection_serves_on(string limit, IoChoice io)
    {
        using var transport = proxies.Connect(io);
        var client = Greet(transport);
        var flood = Http2Flood.All[limit];
        flood.Send(client, _most[limit] - flood.Counted);
        ExpectService(client);
    }

    [Theory]
    [MemberData(nameof(Floods))]
    public void One_more_ends_the_connection_and_names_the_limit(string limit, IoChoice io)
    {
        using var transport = proxies.Connect(io);
        var client = Greet(transport);
        var flood = Http2Flood.All[limit];
        var floods = proxies.Floods(io);
        flood.Send(client, _most[limit] - flood.Counted + 1);
        var goAway = client.Expect("GOAWAY", frame => frame.Type == RawFrame.GoAway);
        Assert.Equal((byte)WireError.EnhanceYourCalm, goAway.Payload[7]);
        Assert.Contains($"The peer passed {limit}", Encoding.UTF8.GetString(goAway.Payload[8..]), StringComparison.Ordinal);
        Assert.Equal(floods + 1, proxies.Floods(io));
    }

    [Theory]
    [MemberData(nameof(Backs))]
    public void A_header_list_of_the_largest_size_is_taken_and_one_byte_more_costs_its_stream(IoChoice io)
    {
        using var transport = proxies.Connect(io);
        var client = Greet(transport);
        var alive = Alive(client);
        var value = new string('y', Http2Downstream.Limits.MaxHeaderListBytes - alive.Sum(field => field.Name.Length + field.Value.Length + 32) - 33);
        SendInPieces(client, 1, RawFrame.Block([.. alive, ("x", value)]));
        client.Expect("an answer", frame => frame.Type == RawFrame.Headers && frame.Stream == 1);
        SendInPieces(client, 3, RawFrame.Block([.. alive, ("x", value + "y")]));
        client.ExpectOnlyStreamError(3, WireError.EnhanceYourCalm);
    }

    [Theory]
    [MemberData(nameof(Backs))]
    public void A_header_list_of_the_most_fields_is_taken_and_one_more_costs_its_stream(IoChoice io)
    {
        using var transport = proxies.Connect(io);
        var client = Greet(transport);
        var alive = Alive(client);
        var more = Http2Downstream.Limits.MaxHeaderFields - alive.Count;
        client.Headers(1, true, [.. alive, .. Enumerable.Repeat(("cookie", ""), more)]);
        client.ExpectAnswer(1);
        client.Headers(3, true, [.. alive, .. Enumerable.Repeat(("cookie", ""), more + 1)]);
        client.ExpectOnlyStreamError(3, WireError.EnhanceYourCalm);
    }

    [Theory]
    [MemberData(nameof(Backs))]
    public void A_frame_of_the_largest_size_is_taken_and_one_byte_more_ends_the_connection(IoChoice io)
    {
        using var transport = proxies.Connect(io);
        var client = Greet(transport);
        client.Headers(1, false, client.Post);
        client.Data(1, false, Http2Downstream.Limits.MaxFrameBytes);
        client.ExpectAlive();
        client.Data(1, false, Http2Downstream.Limits.MaxFrameBytes + 1);
        client.ExpectConnectionError(WireError.FrameSize);
    }

    [Theory]
    [MemberData(nameof(Backs))]
    public void A_table_as_large_as_announced_is_taken_and_one_byte_more_ends_the_connection(IoChoice io)
    {
        using var transport = proxies.Connect(io);
        var client = Greet(transport);

        // A change of the table's size is 001 and a number with a prefix of five bits (RFC 7541 section 6.3).
        var size = Http2Downstream.Limits.HeaderTableBytes - 31;
        client.Block(1, true, [0x3F, (byte)(size | 128), (byte)(size >> 7), .. RawFrame.Block(Alive(client))]);
        client.ExpectAnswer(1);
        size++;
        client.Block(3, true, [0x3F, (byte)(size | 128), (byte)(size >> 7), .. RawFrame.Block(Alive(client))]);
        client.ExpectConnectionError(WireError.Compression);
    }

    [Theory]
    [MemberData(nameof(Backs))]
    public void So_many_streams_are_served_at_once_and_one_more_is_refused(IoChoice io)
    {
        using var transport = proxies.Connect(io);
        var client = Greet(transport);
        var most = (int)client.MaxConcurrentStreams!.Value;
        Assert.Equal(Http2Downstream.Limits.MaxConcurrentStreams, most);
        for (var i = 0; i < most; i++)
        {
            client.Headers((2 * i) + 1, false, client.Post);
        }

        client.ExpectAlive();
        client.Headers((2 * most) + 1, true, Alive(client));
        client.ExpectOnlyStreamError((2 * most) + 1, WireError.RefusedStream);

        // One that ends makes room for another.
        client.Send(RawFrame.OfNumber(RawFrame.ResetStream, 1, 8));
        client.Headers((2 * most) + 3, true, Alive(client));
        client.ExpectAnswer((2 * most) + 3);
    }

    [Theory]
    [MemberData(nameof(Backs))]
    public void A_stream_takes_its_window_and_one_byte_more_ends_it(IoChoice io)
    {
        using var transport = proxies.Connect(io);
        var client = Greet(transport);
        client.Headers(1, false, client.Post);
        Fill(client, 1, Http2Downstream.Limits.StreamWindowBytes);
        client.ExpectAlive();
        client.Data(1, false, 1);
        client.ExpectOnlyStreamError(1, WireError.FlowControl);
    }

    [Theory]
    [MemberData(nameof(Backs))]
    public void All_streams_together_take_the_connections_window_and_one_byte_more_ends_it(IoChoice io)
    {
        using var transport = proxies.Connect(io);
        var client = Greet(transport);
        var (window, each) = (Http2Downstream.Limits.ConnectionWindowBytes, Http2Downstream.Limits.StreamWindowBytes);
        for (var i = 0; i <= window / each; i++)
        {
            client.Headers((2 * i) + 1, false, client.Post);
            if (i < window / each)
            {
                Fill(client, (2 * i) + 1, each);
            }
        }

        client.ExpectAlive();
        client.Data((2 * (window / each)) + 1, false, 1);
        client.ExpectConnectionError(WireError.FlowControl);
    }

    private static void Fill(ConformanceClient client, int stream, int bytes)
    {
        for (; bytes > 0; bytes -= Http2Downstream.Limits.MaxFrameBytes)
        {
            client.Data(stream, false, Math.Min(bytes, Http2Downstream.Limits.MaxFrameBytes));
        }
    }

    private static ConformanceClient Greet(SocketTransport transport)
    {
        var client = new ConformanceClient(transport);
        client.Handshake();
        return client;
    }

    private static IReadOnlyList<(string Name, string Value)> Alive(ConformanceClient client) =>
        [.. client.Get.Select(field => field.Name == ":path" ? (field.Name, Proxies.Served) : field)];

    private static void ExpectService(ConformanceClient client)
    {
        client.Headers(Later, true, Alive(client));
        client.ExpectAnswer(Later);
    }

    private static void SendInPieces(ConformanceClient client, int stream, byte[] block)
    {
        var pieces = block.Chunk(Http2Downstream.Limits.MaxFrameBytes).ToArray();
        for (var i = 0; i < pieces.Length; i++)
        {
            var flags = i == pieces.Length - 1 ? RawFrame.EndHeaders : 0;
            client.Send(i == 0
                ? new RawFrame(RawFrame.Headers, (byte)(flags | RawFrame.EndStream), stream, pieces[i])
                : new RawFrame(RawFrame.Continuation, (byte)flags, stream, pieces[i]));
        }
    }

    /// <summary>A proxy of each back end whose clock stands, so that no window of time ends inside a test, and which needs no server.</summary>
    public sealed class Proxies : IDisposable
    {
        internal const string Served = "/served";

        private readonly Dictionary<IoChoice, (TestProxy Proxy, int Port)> _proxies = Both.ToDictionary(io => io, Start);

        public void Dispose()
        {
            foreach (var (proxy, _) in _proxies.Values)
            {
                proxy.Dispose();
            }
        }

        internal SocketTransport Connect(IoChoice io) => new(_proxies[io].Port);

        internal long Floods(IoChoice io) => _proxies[io].Proxy.Runtime.Http2Pools.Sum(pool => pool.Counters.Floods);

        /// <summary>Requests wait for an hour in an injected delay, but for those that are answered at once.</summary>
        private static (TestProxy Proxy, int Port) Start(IoChoice io)
        {
            var port = TestProxy.FreePort();
            var answer = Plans.Forward("none", prefix: Served) with { Forward = null, Direct = new DirectResponsePlan(200, "0123456789") };
            var wait = Plans.Forward("none") with { Fault = new FaultPlan(3_600_000, 1_000_000, 0, 0, 0) };
            return (new TestProxy(Plans.Http(port, answer, wait).With(Plans.Cluster("none")), io, options: options => options with { Clock = new ManualClock() }), port);
        }
    }
}
