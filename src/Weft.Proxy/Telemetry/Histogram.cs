// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>
/// Counts values by Istio's buckets, which are the same for milliseconds and bytes. Written by one loop, read by others at any time.
/// </summary>
internal sealed class Histogram
{
    /// <summary>Upper bounds in thousandths, so that half a millisecond is a whole number; values are given likewise.</summary>
    private static readonly long[] _bounds =
    [
        500, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000,
        60_000_000, 300_000_000, 600_000_000, 1_800_000_000, 3_600_000_000,
    ];

    private static readonly string[] _names =
    [
        "0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "30000", "60000", "300000", "600000",
        "1800000", "3600000", "+Inf",
    ];

    private readonly long[] _counts = new long[_bounds.Length + 1];
    private long _sum;

    /// <summary>The text of each bucket's upper bound; the last is infinite.</summary>
    public static ReadOnlySpan<string> BucketNames => _names;

    public static int BucketCount => _names.Length;

    /// <summary>Sum of the values in thousandths.</summary>
    public long Sum => Volatile.Read(ref _sum);

    /// <summary>Values in one bucket, not cumulated.</summary>
    public long CountOf(int bucket) => Volatile.Read(ref _counts[bucket]);

    public void Add(long thousandths)
    {
        var bucket = 0;
        while (bucket < _bounds.Length && thousandths > _bounds[bucket])
        {
            bucket++;
        }

        // One writer: a plain addition, published so that a reader on another core sees it soon.
        Volatile.Write(ref _counts[bucket], _counts[bucket] + 1);
        Volatile.Write(ref _sum, _sum + thousandths);
    }
}
