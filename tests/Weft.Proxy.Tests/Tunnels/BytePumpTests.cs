// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Tunnels;
using Xunit;

namespace Weft.Proxy.Tests.Tunnels;

public sealed class BytePumpTests : IPumpOwner, IDisposable
{
    private readonly EventLoop _loop = LoopFactory.Create(IoChoice.Epoll, new LoopSettings(TimeProvider.System, 0), out _);
    private readonly FakeChannel _near = new();
    private readonly FakeChannel _far = new();
    private BytePump? _done;

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void The_last_bytes_of_both_directions_are_waited_for()
    {
        var pump = new BytePump(_loop, _near, _far, 0, this);
        pump.Begin();
        _near.Kept = 10;
        _far.Handler!.OnEndOfStream();
        _near.Handler!.OnEndOfStream();
        Assert.Equal("shut", _near.Done);
        Assert.Null(_done);
        _near.Kept = 0;
        _near.Handler!.OnDrained();
        Assert.Equal("closed", _near.Done);
        Assert.Equal("closed", _far.Done);
        Assert.Equal(PumpEnd.Ordinary, _done!.End);
    }

    [Fact]
    public void A_side_that_was_cut_off_breaks_the_other()
    {
        var pump = new BytePump(_loop, _near, _far, 0, this);
        pump.Begin();
        _far.CutOff = true;
        _far.Handler!.OnEndOfStream();
        Assert.Equal("aborted", _near.Done);
        Assert.Equal(PumpEnd.FarFailed, _done!.End);
    }

    [Theory]
    [InlineData(ByteChannel.HighWater, false)]
    [InlineData(ByteChannel.HighWater + 1, true)]
    public void More_than_the_high_water_mark_stops_the_source(int kept, bool stops)
    {
        var pump = new BytePump(_loop, _near, _far, 0, this);
        pump.Begin();
        _far.Kept = kept;
        _near.Handler!.OnData(new byte[1]);
        Assert.Equal(stops, _near.IsPaused);
        _far.Handler!.OnDrained();
        Assert.False(_near.IsPaused);
    }

    void IPumpOwner.OnPumpDone(BytePump pump, ChannelError error) => _done = pump;

    private sealed class FakeChannel : ByteChannel
    {
        internal int Kept { get; set; }

        internal bool CutOff { get; set; }

        internal bool IsPaused { get; private set; } = true;

        internal string Done { get; private set; } = "";

        internal override int Unsent => Kept;

        internal override bool IsOpen => true;

        internal override IpEndpoint LocalAddress => default;

        internal override bool IsTruncated => CutOff;

        internal override void Write(ReadOnlySpan<byte> bytes, bool more = false)
        {
        }

        internal override void PauseReading() => IsPaused = true;

        internal override void ResumeReading() => IsPaused = false;

        internal override void ShutdownWrite() => Done = "shut";

        internal override void Close() => Done = "closed";

        internal override void Abort() => Done = "aborted";
    }
}
