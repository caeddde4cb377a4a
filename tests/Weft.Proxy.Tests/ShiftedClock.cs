// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Tests;

/// <summary>The system's clock, which a test can put forward: loops go on by themselves, long waits are over at once.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    private long _shift;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Volatile.Read(ref _shift));

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => GetUtcNow().Ticks;

    internal void Shift(TimeSpan by) => Interlocked.Add(ref _shift, by.Ticks);
}
