// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Io;

/// <summary>A channel between messages and streams; everything here holds on both back ends.</summary>
public sealed class ChannelTests : IByteHandler, IDisposable
{
    private const int StreamBytes = 2_000_000;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    private readonly Socket _peer;
    private readonly Socket _accepted;
    private EventLoop _loop = null!;
    private Channel _channel = null!;
    private long _taken;
    private long _wrong;
    private int _pauseEvery = int.MaxValue;
    private bool _ended;
    private bool _drained;

    public ChannelTests()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = (int)_limit.TotalMilliseconds };
        _peer.Connect(listener.LocalEndPoint!);
        _accepted = listener.Accept();
        _accepted.Blocking = false;
    }

    public void Dispose()
    {
        _loop?.Dispose();
        _peer.Dispose();
        _accepted.Dispose();
    }

    [Theory]
    [InlineData(IoChoice.Epoll, int.MaxValue)]
    [InlineData(IoChoice.Epoll, 100_000)]
    [InlineData(IoChoice.Uring, int.MaxValue)]
    [InlineData(IoChoice.Uring, 100_000)]
    public async Task Messages_a_stream_and_messages_again_arrive_whole_and_in_order(IoChoice io, int pauseEvery)
    {
        Open(io);
        _pauseEvery = pauseEvery;
        long sent = 0;
        for (var round = 0; round < 3; round++)
        {
            for (var message = 0; message < 40; message++)
            {
                await _peer.SendAsync(Pattern(sent, 100));
                sent += 100;
                Until(() => _taken == sent);
            }

            var (from, all) = (sent, Pattern(sent, StreamBytes));
            var sending = Task.Run(() => _peer.Send(all));
            sent = from + StreamBytes;
            Until(() => _taken == sent);
            Assert.Equal(StreamBytes, await sending);
        }

        _peer.Shutdown(SocketShutdown.Send);
        Until(() => _ended);
        Assert.Equal(0, _wrong);
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public async Task What_a_slow_peer_leaves_is_kept_in_order_and_the_writer_hears_when_it_is_gone(IoChoice io)
    {
        Open(io);
        var reading = Task.Run(() => ReadAll());
        long written = 0;
        var sizes = new[] { 10, 70_000, 300, 20_000, 1, 40_000, 16_384, 5000 };
        for (var turn = 0; written < StreamBytes; turn++)
        {
            var size = sizes[turn % sizes.Length];
            _channel.Write(Pattern(written, size), more: turn % 3 == 0);
            written += size;
            if (_channel.Unsent > ByteChannel.HighWater)
            {
                // More was said to follow.
                _channel.Write(Pattern(written++, 1));
                _drained = false;
                Until(() => _drained);
                Assert.Equal(0, _channel.Unsent);
            }
        }

        _channel.Write(Pattern(written++, 1));
        _channel.ShutdownWrite();
        Until(() => reading.IsCompleted);
        Assert.Equal((written, 0L), await reading);
        Assert.Equal(written, _channel.Sent);
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public void A_paused_stream_makes_its_peer_wait(IoChoice io)
    {
        Open(io);
        _pauseEvery = 1;
        _peer.Blocking = false;
        var chunk = new byte[64 * 1024];
        long accepted = 0;
        var idle = 0;

        // A hundred rounds in which the peer cannot send: the kernel's buffers are full, and nobody else's grow.
        while (idle < 100)
        {
            var count = _peer.Send(chunk, SocketFlags.None, out var error);
            accepted += error == SocketError.Success ? count : 0;
            idle = error == SocketError.WouldBlock ? idle + 1 : 0;
            _loop.Tick(maxWaitMs: 1);
            Assert.InRange(accepted, 0, 64_000_000);
        }

        Assert.InRange(_taken, 0, EventLoop.ScratchSize);
    }

    void IByteHandler.OnConnected()
    {
    }

    void IByteHandler.OnData(Span<byte> data)
    {
        var before = _taken / _pauseEvery;
        foreach (var one in data)
        {
            _wrong += one == ValueAt(_taken++) ? 0 : 1;
        }

        if (_taken / _pauseEvery != before)
        {
            _channel.PauseReading();
        }
    }

    void IByteHandler.OnEndOfStream() => _ended = true;

    void IByteHandler.OnDrained() => _drained = true;

    void IByteHandler.OnFailed(ChannelError error) => Assert.Fail($"error {error.Number}");

    private static byte ValueAt(long position) => (byte)(position % 251);

    private static byte[] Pattern(long from, int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            bytes[i] = ValueAt(from + i);
        }

        return bytes;
    }

    private void Open(IoChoice io)
    {
        _loop = LoopFactory.Create(io, new LoopSettings(TimeProvider.System, 0), out _);

        // A descriptor of the channel's own, which closes it.
        _channel = _loop.Adopt(Libc.Duplicate((int)_accepted.Handle), this);
        _channel.ResumeReading();
    }

    /// <summary>Ticks until it is so; a channel that paused itself goes on after a tick in which it had to be quiet.</summary>
    private void Until(Func<bool> condition)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            _loop.Tick(maxWaitMs: 10);
            Assert.True(TimeProvider.System.GetElapsedTime(began) < _limit, $"taken {_taken}, unsent {_channel.Unsent}");
            var quiet = _taken;
            _loop.Tick(maxWaitMs: 0);
            _channel.ResumeReading();
            Assert.True(_pauseEvery == int.MaxValue || _taken - quiet <= 2L * _pauseEvery, "input came during a pause");
        }
    }

    private (long Read, long Wrong) ReadAll()
    {
        var buffer = new byte[30_000];
        long read = 0;
        long wrong = 0;
        while (_peer.Receive(buffer) is > 0 and var count)
        {
            for (var i = 0; i < count; i++)
            {
                wrong += buffer[i] == ValueAt(read++) ? 0 : 1;
            }
        }

        return (read, wrong);
    }
}
