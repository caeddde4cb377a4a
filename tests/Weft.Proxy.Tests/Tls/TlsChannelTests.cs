// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tls;
using Xunit;

namespace Weft.Proxy.Tests.Tls;

public sealed class TlsChannelTests : IDisposable
{
    private readonly TlsScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Records_may_come_in_any_parts()
    {
        foreach (var size in (int[])[1, 2, 5, 7, 22, 100])
        {
            _scene.Heard.Text.Clear();
            byte[] all = [.. _scene.Text("one "), .. _scene.Text("two "), .. _scene.Text("three")];
            foreach (var part in all.Chunk(size))
            {
                _scene.Channel.OnData(part);
            }

            Assert.Equal("one two three", _scene.Heard.Text.ToString());
        }
    }

    [Fact]
    public void More_records_than_are_opened_at_once_arrive_in_order()
    {
        var text = string.Concat(Enumerable.Range(0, 6 * TlsRecords.LongestPlain).Select(i => (char)('a' + (i % 26))));
        byte[] all = [.. text.Chunk(TlsRecords.LongestPlain).SelectMany(part => _scene.Text(new string(part)))];
        _scene.Channel.OnData(all);
        Assert.Equal(text, _scene.Heard.Text.ToString());
    }

    [Fact]
    public void What_the_owner_writes_is_sealed_in_records_of_the_longest_kind()
    {
        var bytes = Encoding.ASCII.GetBytes(new string('x', (2 * TlsRecords.LongestPlain) + 10));
        _scene.Channel.Write(bytes);
        Assert.Equal(TlsRecords.LongestPlain, _scene.NextAnswer().Content.Length / 2);
        Assert.Equal(TlsRecords.LongestPlain, _scene.NextAnswer().Content.Length / 2);
        Assert.Equal(10, _scene.NextAnswer().Content.Length / 2);
        Assert.Empty(_scene.Wire.Written);
    }

    [Fact]
    public void A_changed_record_ends_the_connection_behind_what_was_good()
    {
        var good = _scene.Text("good");
        var bad = _scene.Text("never heard");
        bad[^1] ^= 1;
        _scene.Channel.OnData([.. good, .. bad, .. _scene.Text("nor this")]);
        Assert.Equal("good", _scene.Heard.Text.ToString());
        FailedWith("changed on its way", 20);
    }

    [Theory]
    [InlineData(20, 1, 10, "none of TLS 1.3")]
    [InlineData(21, 2, 10, "none of TLS 1.3")]
    [InlineData(23, 16641, 22, "too long")]
    [InlineData(23, 16, 20, "changed on its way")]
    public void A_record_that_is_none_ends_the_connection(byte type, int length, byte alert, string why)
    {
        byte[] record = [type, 3, 3, (byte)(length >> 8), (byte)length, .. new byte[length]];
        _scene.Channel.OnData([.. _scene.Text("good"), .. record]);
        Assert.Equal("good", _scene.Heard.Text.ToString());
        FailedWith(why, alert);
    }

    [Fact]
    public void A_goodbye_is_the_end_of_the_stream_and_is_answered_when_the_owner_closes()
    {
        _scene.Channel.OnData([.. _scene.Text("last words"), .. _scene.Sealed(RecordType.Alert, 1, 0), .. _scene.Text("nobody listens")]);
        Assert.Equal("last words", _scene.Heard.Text.ToString());
        Assert.True(_scene.Heard.Ended);
        _scene.Channel.OnEndOfStream();
        Assert.False(_scene.Channel.IsTruncated);
        _scene.Channel.Write("answer"u8);
        Assert.Equal((RecordType.Data, Convert.ToHexString("answer"u8)), _scene.NextAnswer());
        _scene.Channel.ShutdownWrite();
        _scene.Channel.Write("too late"u8);
        _scene.Channel.Close();
        Assert.Equal((RecordType.Alert, "0100"), _scene.NextAnswer());
        Assert.Empty(_scene.Wire.Written);
    }

    [Fact]
    public void An_alert_is_told_in_words()
    {
        _scene.Channel.OnData(_scene.Sealed(RecordType.Alert, 2, 48));
        Assert.Equal("the peer ended the connection: tls alert unknown CA", _scene.Heard.Failure);
    }

    [Fact]
    public void An_alert_of_another_length_is_none()
    {
        _scene.Channel.OnData(_scene.Sealed(RecordType.Alert, 2));
        FailedWith("an alert that is none", 50);
    }

    [Fact]
    public void Records_without_data_are_passed_over_up_to_a_limit()
    {
        for (var i = 0; i < TlsChannel.IdleRecordLimit; i++)
        {
            _scene.Channel.OnData(_scene.Sealed(RecordType.Data));
        }

        _scene.Channel.OnData(_scene.Text("some"));
        for (var i = 0; i < TlsChannel.IdleRecordLimit; i++)
        {
            _scene.Channel.OnData(_scene.Sealed(RecordType.Handshake, 24, 0, 0, 1, 0));
            _scene.Client.TurnWritingKey();
        }

        Assert.Null(_scene.Heard.Failure);
        _scene.Channel.OnData(_scene.Sealed(RecordType.Data));
        FailedWith("without data", 10);
    }

    [Fact]
    public void The_peers_new_key_is_followed_and_answered_where_it_asks()
    {
        _scene.Channel.OnData(_scene.Sealed(RecordType.Handshake, 24, 0, 0, 1, 1));
        _scene.Client.TurnWritingKey();
        _scene.Channel.OnData(_scene.Text("under the next key"));
        Assert.Equal("under the next key", _scene.Heard.Text.ToString());
        _scene.Channel.Write("and back"u8);
        Assert.Equal((RecordType.Handshake, "1800000100"), _scene.NextAnswer());
        _scene.Client.TurnReadingKey();
        Assert.Equal((RecordType.Data, Convert.ToHexString("and back"u8)), _scene.NextAnswer());
    }

    [Fact]
    public void An_old_key_is_replaced_before_more_is_sealed()
    {
        _scene.Channel.Records!.KeyLimit = 2;
        for (var i = 0; i < 5; i++)
        {
            if (i is 2 or 4)
            {
                _scene.Channel.Write("x"u8);
                Assert.Equal((RecordType.Handshake, "1800000100"), _scene.NextAnswer());
                _scene.Client.TurnReadingKey();
            }
            else
            {
                _scene.Channel.Write("x"u8);
            }

            Assert.Equal((RecordType.Data, "78"), _scene.NextAnswer());
        }
    }

    [Fact]
    public void A_handshake_message_that_has_no_place_ends_the_connection()
    {
        _scene.Channel.OnData(_scene.Sealed(RecordType.Handshake, 4, 0, 0, 1, 0));
        FailedWith("has no place behind the handshake", 10);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Handshakes_of_one_kind_wait_for_each_other_but_not_for_long(bool stuck)
    {
        var clock = new ShiftedClock();
        using var loop = LoopFactory.Create(IoChoice.Epoll, new LoopSettings(clock, 0), out _);
        using var engine = new TlsEngine(loop);
        using var context = TlsContext.ForSimpleClient(new UpstreamTlsPlan(UpstreamTlsMode.Simple, "", [], [], "", InsecureSkipVerify: true), CredentialSet.None);
        var wires = new List<MemoryChannel>();
        var channels = new List<TlsChannel>();
        for (var i = 0; i <= TlsEngine.ClientHandshakes; i++)
        {
            wires.Add(new MemoryChannel());
            channels.Add(new TlsChannel(engine, context, wires[i], new HeardEvents()));
            channels[i].OnConnected();
        }

        Assert.All(wires[..^1], wire => Assert.NotEmpty(wire.Written));
        Assert.Empty(wires[^1].Written);
        if (stuck)
        {
            clock.Shift(TimeSpan.FromMilliseconds(TlsEngine.PatienceMs));
        }
        else
        {
            channels[0].Abort();
        }

        for (var i = 0; i < 1000 && wires[^1].Written.Count == 0; i++)
        {
            loop.Tick(10);
        }

        Assert.NotEmpty(wires[^1].Written);
        channels.ForEach(channel => channel.Abort());
        Assert.Equal(0, context.Handshakes);
    }

    private void FailedWith(string why, byte alert)
    {
        Assert.Contains(why, _scene.Heard.Failure, StringComparison.Ordinal);
        Assert.Equal((RecordType.Alert, $"02{alert:X2}"), _scene.NextAnswer());
        Assert.True(_scene.Wire.IsEnded);
    }
}
