// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tls;
using Xunit;

namespace Weft.Proxy.Tests.Tls;

/// <summary>What peers do that only harms: each must end with them, and not with the loop's other connections.</summary>
public sealed unsafe partial class TlsAttackTests : IDisposable
{
    private readonly TlsScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void A_peer_that_asks_for_new_keys_and_does_not_read_has_one_answer_before_the_next_data()
    {
        for (var i = 0; i < 1000; i++)
        {
            _scene.Channel.OnData(_scene.Sealed(RecordType.Handshake, 24, 0, 0, 1, 1));
            _scene.Client.TurnWritingKey();
            _scene.Channel.OnData(_scene.Text("x"));
        }

        Assert.Null(_scene.Heard.Failure);
        Assert.Empty(_scene.Wire.Written);
        _scene.Channel.Write("data"u8);
        Assert.Equal((RecordType.Handshake, "1800000100"), _scene.NextAnswer());
        _scene.Client.TurnReadingKey();
        Assert.Equal((RecordType.Data, Convert.ToHexString("data"u8)), _scene.NextAnswer());
        _scene.Channel.Write("more"u8);
        Assert.Equal((RecordType.Data, Convert.ToHexString("more"u8)), _scene.NextAnswer());
    }

    [Theory]
    [InlineData((byte)RecordType.Data)]
    [InlineData((byte)RecordType.Alert)]
    public void Nothing_may_come_in_the_middle_of_a_handshake_message(byte type)
    {
        _scene.Channel.OnData(_scene.Sealed(RecordType.Handshake, 24, 0));
        _scene.Channel.OnData(_scene.Sealed((RecordType)type, 1, 0));
        Assert.Equal("", _scene.Heard.Text.ToString());
        Assert.False(_scene.Heard.Ended);
        Assert.Contains("in the middle of a handshake message", _scene.Heard.Failure, StringComparison.Ordinal);
        Assert.Equal((RecordType.Alert, "020A"), _scene.NextAnswer());
    }

    [Fact]
    public void Nothing_to_write_makes_no_record()
    {
        _scene.Channel.Write([]);
        Assert.Empty(_scene.Wire.Written);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_owner_that_closes_in_the_middle_hears_nothing_more(bool aborts)
    {
        _scene.Heard.Then = aborts ? _scene.Channel.Abort : _scene.Channel.Close;
        var text = new string('x', TlsRecords.LongestPlain);
        byte[] all = [.. _scene.Text(text), .. _scene.Text(text), .. _scene.Text(text), .. _scene.Text(text), .. _scene.Text(text)];
        _scene.Channel.OnData([.. all, 23, 3, 3, 0, 50, 1]);
        Assert.Equal(3 * text.Length, _scene.Heard.Text.Length);
        Assert.Equal(aborts ? 0 : 24, _scene.Wire.Written.Count);
        Assert.Null(_scene.Heard.Failure);
        Assert.False(_scene.Heard.Ended);
        Assert.True(_scene.Engine.Output.IsEmpty);
    }

    [Fact]
    public void An_owner_may_feed_one_connection_from_another_while_it_is_read()
    {
        using var other = new TlsScene(_scene);
        _scene.Heard.Then = () =>
        {
            other.Channel.OnData(other.Text("inner"));
            other.Channel.Write("onward"u8);
        };
        _scene.Channel.OnData([.. _scene.Text("one "), .. _scene.Sealed(RecordType.Data), .. _scene.Text("two")]);
        Assert.Equal("one two", _scene.Heard.Text.ToString());
        Assert.Equal("innerinner", other.Heard.Text.ToString());
        Assert.Equal((RecordType.Data, Convert.ToHexString("onward"u8)), other.NextAnswer());
        Assert.Empty(_scene.Wire.Written);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(ByteChannel.HighWater + 1)]
    public void What_libssl_answers_while_it_reads_reaches_nobody_else(int stuck)
    {
        using var old = new OldServer(_scene.Engine);
        var lengths = new List<int>();
        old.Heard.Then = () => lengths.Add(_scene.Engine.Output.Length);
        old.Wire.Written.Clear();
        old.Wire.Stuck = stuck;
        old.AskToRenegotiate();
        old.Channel.OnData(old.Sealed("hello"));
        Assert.True(_scene.Engine.Output.IsEmpty);
        if (stuck > 0)
        {
            Assert.Contains("does not read", old.Heard.Failure, StringComparison.Ordinal);
            return;
        }

        Assert.Equal("hello", old.Heard.Text.ToString());
        Assert.Equal([0], lengths);
        Assert.Equal(21, old.Wire.Written[0]);
    }

    [Fact]
    public void Who_is_refused_because_too_many_wait_is_told_and_who_has_gone_takes_no_turn()
    {
        var clock = new ShiftedClock();
        using var loop = LoopFactory.Create(IoChoice.Epoll, new LoopSettings(clock, 0), out _);
        using var engine = new TlsEngine(loop);
        using var authority = new TestAuthority();
        var (chain, key) = authority.Issue("spiffe://cluster.local/ns/a/sa/b");
        using var context = TlsContext.ForServer(new DownstreamTlsPlan(false, [], []), TlsMaterial.Parse(chain, key, authority.RootPem));
        var heard = new List<HeardEvents>();
        var channels = new List<TlsChannel>();
        for (var i = 0; i <= TlsEngine.HandshakesPerTick + TlsEngine.HandshakeQueueLimit; i++)
        {
            heard.Add(new HeardEvents());
            channels.Add(new TlsChannel(engine, context, new MemoryChannel(), heard[i]));
            channels[i].Start([22, 3, 1]);
        }

        Assert.Contains("handshakes wait", heard[^1].Failure, StringComparison.Ordinal);
        Assert.All(heard[..^1], one => Assert.Null(one.Failure));
        Assert.Equal(TlsEngine.HandshakesPerTick, context.Handshakes);
        channels[..^2].ForEach(channel => channel.Abort());
        Assert.Equal(0, context.Handshakes);
        clock.Shift(TimeSpan.FromMilliseconds(5));
        for (var i = 0; i < 3 && context.Handshakes == 0; i++)
        {
            loop.Tick(5);
        }

        Assert.Equal(1, context.Handshakes);
        channels.ForEach(channel => channel.Abort());
        Assert.Equal(0, context.Handshakes);
    }

    /// <summary>A server with TLS 1.2, of libssl, and a channel that is its client.</summary>
    private sealed partial class OldServer : IDisposable
    {
        private readonly TestAuthority _authority = new();
        private readonly EventLoop _loop = LoopFactory.Create(IoChoice.Epoll, new LoopSettings(TimeProvider.System, 0), out _);
        private readonly TlsEngine _engine;
        private readonly TlsContext _context;
        private readonly TlsContext _client;
        private readonly nint _ssl;

        internal OldServer(TlsEngine ofClient)
        {
            _engine = new TlsEngine(_loop);
            var (chain, key) = _authority.Issue("spiffe://cluster.local/ns/a/sa/b");
            var plan = new DownstreamTlsPlan(false, [], []) { Parameters = new TlsParametersPlan(TlsVersion.Default, TlsVersion.Tls12, []) };
            _context = TlsContext.ForServer(plan, TlsMaterial.Parse(chain, key, _authority.RootPem));
            _client = TlsContext.ForSimpleClient(new UpstreamTlsPlan(UpstreamTlsMode.Simple, "", [], [], "", InsecureSkipVerify: true), CredentialSet.None);
            _ssl = _engine.NewSession(_context);
            _ = ClearOptions(_ssl, LibSsl.OptionNoRenegotiation);
            Channel = new TlsChannel(ofClient, _client, Wire, Heard);
            Channel.OnConnected();
            for (var i = 0; i < 10 && Heard.Connected == 0; i++)
            {
                Channel.OnData(Handshake(Wire.Take(Wire.Written.Count)));
            }

            Assert.Equal(1, Heard.Connected);
            Assert.Null(Channel.Records);
        }

        internal TlsChannel Channel { get; }

        internal MemoryChannel Wire { get; } = new();

        internal HeardEvents Heard { get; } = new();

        internal void AskToRenegotiate()
        {
            Assert.Equal(1, Renegotiate(_ssl));
            Assert.Equal(1, LibSsl.DoHandshake(_ssl));
        }

        /// <summary>What was asked before, and the text.</summary>
        internal byte[] Sealed(string text)
        {
            Assert.True(_engine.Encrypt(_ssl, System.Text.Encoding.ASCII.GetBytes(text)));
            return TakeOutput();
        }

        public void Dispose()
        {
            Channel.Abort();
            LibSsl.Free(_ssl);
            _context.Dispose();
            _client.Dispose();
            _engine.Dispose();
            _loop.Dispose();
            _authority.Dispose();
        }

        private byte[] Handshake(byte[] input)
        {
            fixed (byte* start = input)
            {
                _engine.SetInput(start, input.Length);
                _ = LibSsl.DoHandshake(_ssl);
                _ = _engine.TakeInput();
            }

            return TakeOutput();
        }

        private byte[] TakeOutput()
        {
            var output = _engine.Output.ToArray();
            _engine.ClearOutput();
            return output;
        }

        [LibraryImport("libssl.so.3", EntryPoint = "SSL_renegotiate")]
        private static partial int Renegotiate(nint ssl);

        [LibraryImport("libssl.so.3", EntryPoint = "SSL_clear_options")]
        private static partial ulong ClearOptions(nint ssl, ulong options);
    }
}
