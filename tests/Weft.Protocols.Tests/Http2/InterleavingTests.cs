// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

/// <summary>
/// A client and a server in every order of steps that a random number finds: tiny windows, tiny output, bytes cut anywhere, consumption
/// whenever it likes, resets from both sides. What arrives is what was sent, and everything ends.
/// </summary>
public sealed class InterleavingTests
{
    private const int Streams = 12;

    [Fact]
    public void Whatever_the_order_every_byte_arrives_once_and_every_stream_ends()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            new Run(new Random(seed)).Play(withResets: false, $"seed {seed}");
        }
    }

    [Fact]
    public void Resets_from_both_sides_hurt_no_other_stream()
    {
        for (var seed = 1000; seed < 1060; seed++)
        {
            new Run(new Random(seed)).Play(withResets: true, $"seed {seed}");
        }
    }

    private static byte ByteAt(int stream, int at) => (byte)((stream * 31) + (at * 7) + (at >> 8));

    /// <summary>One message of one stream as one side sends or receives it.</summary>
    private sealed class Half
    {
        public int Total { get; init; }

        public int Sent { get; set; }

        public bool HasSentEnd { get; set; }

        public bool HasTrailers { get; init; }

        public int Received { get; set; }

        public bool HasReceivedEnd { get; set; }

        public int ToConsume { get; set; }
    }

    private sealed class Run
    {
        private readonly Random _random;
        private readonly Side _client;
        private readonly Side _server;
        private readonly HashSet<int> _reset = [];
        private int _opened;

        public Run(Random random)
        {
            _random = random;
            var pool = new Http2Pool();
            _client = new Side(Http2Role.Client, MakeLimits(), pool, this);
            _server = new Side(Http2Role.Server, MakeLimits(), pool, this);
        }

        public void Play(bool withResets, string seed)
        {
            for (var step = 0; step < 1500; step++)
            {
                Step(withResets);
            }

            while (_opened < Streams || _client.IsBusy || _server.IsBusy)
            {
                var before = (_client.Progress, _server.Progress, _opened);
                Open();
                Settle(_client);
                Settle(_server);
                Carry(_client, _server, int.MaxValue);
                Carry(_server, _client, int.MaxValue);
                Assert.True(before != (_client.Progress, _server.Progress, _opened), $"{seed}: nothing moves any more");
            }

            foreach (var side in (Side[])[_client, _server])
            {
                Assert.True(side.Connection.Failure is null, $"{seed}: {side.Connection.Failure?.Text}");
                Assert.Equal(0, side.Connection.OpenStreams);
                Assert.Equal(side.Closed, side.Seen);
                foreach (var (id, half) in side.Incoming.Where(pair => !_reset.Contains(pair.Key)))
                {
                    var sent = (ReferenceEquals(side, _client) ? _server : _client).Outgoing[id];
                    Assert.True(half.HasReceivedEnd && half.Received == sent.Total, $"{seed}: stream {id} got {half.Received} of {sent.Total}");
                }
            }
        }

        public void Forget(int id) => _reset.Add(id);

        private Http2Limits MakeLimits() => new()
        {
            StreamWindowBytes = _random.Next(3) switch { 0 => _random.Next(5, 50), 1 => _random.Next(50, 5000), _ => 65_535 },
            MaxQueuedOutputBytes = _random.Next(2) == 0 ? _random.Next(50, 500) : 65_536,
            MaxConcurrentStreams = _random.Next(1, Streams),
            HeaderTableBytes = _random.Next(2) == 0 ? _random.Next(0, 300) : 4096,
            CompressText = _random.Next(2) == 0,
            MaxForcedResets = 1000,
            MaxPeerResets = 1000,
            MaxWindowUpdates = 1_000_000,
            MaxQueuedControlFrames = 1_000_000,
        };

        private void Step(bool withResets)
        {
            var side = _random.Next(2) == 0 ? _client : _server;
            switch (_random.Next(withResets ? 7 : 6))
            {
                case 0:
                    Open();
                    break;
                case 1:
                    side.SendSome(_random);
                    break;
                case 2:
                    side.ConsumeSome(_random);
                    break;
                case 6 when _random.Next(5) == 0:
                    side.ResetSome(_random);
                    break;
                default:
                    Carry(side, ReferenceEquals(side, _client) ? _server : _client, _random.Next(1, _random.Next(1, 3000)));
                    break;
            }
        }

        private void Open()
        {
            // Until its SETTINGS are here the server's limit is not known, and a stream over it would be refused.
            if (_opened < Streams && _client.Connection.HasPeerSettings && _client.Connection.Open(null) is { } stream)
            {
                _opened++;
                _client.Begin(stream, _random);
            }
        }

        private static void Settle(Side side)
        {
            foreach (var stream in side.Live.ToArray())
            {
                side.Consume(stream, int.MaxValue);
                side.Send(stream, int.MaxValue);
            }
        }

        private static void Carry(Side from, Side to, int most)
        {
            var count = Math.Min(most, from.Connection.Output.Length);
            var bytes = from.Connection.Output[..count].ToArray();
            from.Connection.Sent(count);
            from.Progress += count;
            to.Connection.Receive(bytes, 0);
        }
    }

    private sealed class Side : IHttp2Events
    {
        private readonly Run _run;
        private readonly Random _sizes = new(4);

        public Side(Http2Role role, Http2Limits limits, Http2Pool pool, Run run)
        {
            _run = run;
            Connection = new Http2Connection(role, limits, this, pool);
        }

        public Http2Connection Connection { get; }

        public List<Http2Stream> Live { get; } = [];

        public Dictionary<int, Half> Outgoing { get; } = [];

        public Dictionary<int, Half> Incoming { get; } = [];

        public long Progress { get; set; }

        public int Seen { get; private set; }

        public int Closed { get; private set; }

        public bool IsBusy => Live.Count > 0 || Connection.Output.Length > 0;

        public void Begin(Http2Stream stream, Random random)
        {
            Assert.True(Connection.BeginHeaders(stream));
            Connection.Header(":method"u8, "POST"u8);
            Connection.Header(":scheme"u8, "http"u8);
            Connection.Header(":path"u8, "/p"u8);
            Connection.Header(":authority"u8, "a"u8);
            Take(stream, random);
            Connection.EndHeaders(endStream: false);
        }

        public void SendSome(Random random)
        {
            if (Live.Count > 0)
            {
                Send(Live[random.Next(Live.Count)], random.Next(0, 4000));
            }
        }

        public void ConsumeSome(Random random)
        {
            if (Live.Count > 0)
            {
                Consume(Live[random.Next(Live.Count)], random.Next(1, 500));
            }
        }

        public void ResetSome(Random random)
        {
            if (Live.Count > 0)
            {
                var stream = Live[random.Next(Live.Count)];
                _run.Forget(stream.Id);
                Connection.Reset(stream, Http2ErrorCode.Cancel);
            }
        }

        public void Send(Http2Stream stream, int most)
        {
            var half = Outgoing[stream.Id];
            if (half.HasSentEnd)
            {
                return;
            }

            var data = new byte[Math.Min(most, half.Total - half.Sent)];
            for (var i = 0; i < data.Length; i++)
            {
                data[i] = ByteAt(stream.Id, half.Sent + i);
            }

            var isLast = half.Sent + data.Length == half.Total;
            var taken = Connection.SendData(stream, data, isLast && !half.HasTrailers);
            half.Sent += taken;
            Progress += taken;
            if (isLast && taken == data.Length)
            {
                half.HasSentEnd = true;
                if (half.HasTrailers && Connection.BeginHeaders(stream))
                {
                    Connection.Header("x-sum"u8, "1"u8);
                    Connection.EndHeaders(endStream: true);
                }
            }
        }

        public void Consume(Http2Stream stream, int most)
        {
            var half = Incoming[stream.Id];
            var count = Math.Min(most, half.ToConsume);
            half.ToConsume -= count;
            Progress += count;
            Connection.Consume(stream, count);
        }

        public void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
        {
            Take(stream, _sizes);
            Connection.BeginHeaders(stream);
            Connection.Header(":status"u8, "200"u8);
            Connection.EndHeaders(endStream: false);
        }

        public void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream) => Assert.Equal(200, fields.Status);

        public void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
        {
            var half = Incoming[stream.Id];
            Assert.False(half.HasReceivedEnd);
            for (var i = 0; i < data.Length; i++)
            {
                Assert.Equal(ByteAt(stream.Id, half.Received + i), data[i]);
            }

            half.Received += data.Length;
            half.ToConsume += data.Length;
            half.HasReceivedEnd = endStream;
            Assert.True(stream.Unconsumed <= Math.Max(65_535, Connection.Limits.StreamWindowBytes));
        }

        public void OnTrailers(Http2Stream stream, in Http2Fields fields)
        {
            Assert.False(Incoming[stream.Id].HasReceivedEnd);
            Incoming[stream.Id].HasReceivedEnd = true;
        }

        public void OnWritable(Http2Stream stream) => Send(stream, 1000);

        public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by)
        {
            Assert.True(by == Http2ResetBy.Peer, $"{by} {code}");
            Assert.True(code is Http2ErrorCode.Cancel or Http2ErrorCode.RefusedStream, code.ToString());
            _run.Forget(stream.Id);
        }

        public void OnClosed(Http2Stream stream)
        {
            Closed++;
            Assert.True(Live.Remove(stream));
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

        private void Take(Http2Stream stream, Random random)
        {
            Seen++;
            Live.Add(stream);
            Outgoing[stream.Id] = new Half { Total = random.Next(4) switch { 0 => 0, 1 => random.Next(1, 100), _ => random.Next(100, 3000) }, HasTrailers = random.Next(2) == 0 };
            Incoming[stream.Id] = new Half();
        }
    }
}
