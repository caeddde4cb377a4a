// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using Weft.Protocols.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

/// <summary>What requests cost in steady state, and what connections and streams weigh.</summary>
public sealed class AllocationTests
{
    [Fact]
    public void Requests_allocate_nothing_on_either_side()
    {
        var talk = new Talk();
        for (var i = 0; i < 2000; i++)
        {
            talk.RoundTrip();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 2000; i++)
        {
            talk.RoundTrip();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(4000, talk.Answers);
    }

    [Fact]
    public void A_connection_and_a_stream_weigh_what_is_promised()
    {
        var pool = new Http2Pool();
        var events = new Talk();
        Weigh(() => new Http2Connection(Http2Role.Server, Http2Limits.Default, events, pool));
        var connection = Weigh(() =>
        {
            var made = new Http2Connection(Http2Role.Server, Http2Limits.Default, events, pool);
            made.Sent(made.Output.Length);
            return made;
        });
        Assert.InRange(connection, 300, 1024);
        Assert.InRange(Weigh(() => new Http2Stream()), 50, 112);
        Assert.True(Unsafe.SizeOf<Http2Counters>() < 200);
    }

    [Fact]
    public void A_connection_at_rest_holds_its_tables_and_nothing_else()
    {
        // Two HPACK tables as far as they are filled, and the table of streams; buffers and streams are the pool's.
        var talk = new Talk();
        for (var i = 0; i < 100; i++)
        {
            talk.RoundTrip();
        }

        var other = new Talk(talk.Pool);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            other.RoundTrip();
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 2, 500, 3 * 1024);
    }

    private static long Weigh(Func<object> make)
    {
        make();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var made = make();
        var after = GC.GetAllocatedBytesForCurrentThread();
        GC.KeepAlive(made);
        return after - before;
    }

    /// <summary>Both ends: a POST with content, an answer with content and trailers.</summary>
    private sealed class Talk : IHttp2Events
    {
        private readonly Http2Connection _client;
        private readonly Http2Connection _server;
        private readonly byte[] _body = new byte[20_000];
        private readonly byte[] _wire = new byte[100_000];
        private Http2Stream? _asked;

        public Talk(Http2Pool? pool = null)
        {
            Pool = pool ?? new Http2Pool();
            _client = new Http2Connection(Http2Role.Client, Http2Limits.Default, this, Pool);
            _server = new Http2Connection(Http2Role.Server, Http2Limits.Default, this, Pool);
        }

        public Http2Pool Pool { get; }

        public int Answers { get; private set; }

        public void RoundTrip()
        {
            var stream = _client.Open(this)!;
            _client.BeginHeaders(stream);
            _client.Header(":method"u8, "POST"u8);
            _client.Header(":scheme"u8, "http"u8);
            _client.Header(":authority"u8, "reviews.shop"u8);
            _client.Header(":path"u8, "/reviews/7?limit=3"u8);
            _client.Header("Content-Type"u8, "application/json"u8);
            _client.Header("cookie"u8, "a=1"u8);
            _client.Header("cookie"u8, "b=2"u8);
            _client.Header("x-request-id"u8, _body.AsSpan(0, 0));
            _client.EndHeaders(endStream: false);
            _client.SendData(stream, _body, endStream: true);
            while (_client.Output.Length + _server.Output.Length > 0)
            {
                Carry(_client, _server);
                Carry(_server, _client);
            }
        }

        public void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream) => _asked = stream;

        public void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream) => Answers += fields.Status == 200 ? 1 : 0;

        public void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
        {
            var isRequest = ReferenceEquals(stream, _asked);
            (isRequest ? _server : _client).Consume(stream, data.Length);
            if (!isRequest || !endStream)
            {
                return;
            }

            _server.BeginHeaders(stream);
            _server.Header(":status"u8, "200"u8);
            _server.Header("content-length"u8, "500"u8);
            _server.Header("server"u8, "weft"u8);
            _server.EndHeaders(endStream: false);
            _server.SendData(stream, _body.AsSpan(0, 500), endStream: false);
            _server.BeginHeaders(stream);
            _server.Header("grpc-status"u8, "0"u8);
            _server.EndHeaders(endStream: true);
        }

        public void OnTrailers(Http2Stream stream, in Http2Fields fields)
        {
        }

        public void OnWritable(Http2Stream stream)
        {
        }

        public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by) => throw new InvalidOperationException($"{code} {by}");

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

        private void Carry(Http2Connection from, Http2Connection to)
        {
            var count = from.Output.Length;
            from.Output.CopyTo(_wire);
            from.Sent(count);

            // Two pieces, so that buffers for what is cut are used too.
            to.Receive(_wire.AsSpan(0, count / 2), 0);
            to.Receive(_wire.AsSpan(count / 2, count - (count / 2)), 0);
        }
    }
}
