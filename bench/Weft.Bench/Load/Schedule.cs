// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench.Load;

/// <summary>
/// When each request is meant to be sent: evenly, from the start on, whatever became of those before. A request's latency counts from
/// here, so a stall shows in all requests that should have been sent meanwhile (no coordinated omission).
/// </summary>
internal readonly record struct Schedule(long StartNanoseconds, double PerSecond)
{
    public long DueAt(long index) => StartNanoseconds + (long)(index * (1e9 / PerSecond));

    /// <summary>How many are due within a time from the start.</summary>
    public long CountIn(TimeSpan time) => (long)Math.Floor(time.TotalSeconds * PerSecond);
}
