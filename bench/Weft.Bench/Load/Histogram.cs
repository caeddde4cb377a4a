// SPDX-License-Identifier: Apache-2.0

using System.Numerics;

namespace Weft.Bench.Load;

/// <summary>
/// Counts durations in nanoseconds. Buckets grow with the value, so a quantile is at most 1/128 above the true one whatever the
/// range; adding allocates nothing.
/// </summary>
internal sealed class Histogram
{
    // Values below 2^8 have a bucket each; above, every power of two is cut into 2^7 parts.
    private const int PartBits = 7;

    private readonly long[] _counts = new long[(64 - PartBits + 1) << PartBits];

    public long Count { get; private set; }

    public long Highest { get; private set; }

    /// <summary>A negative value counts as none at all.</summary>
    public void Add(long nanoseconds)
    {
        var value = Math.Max(0, nanoseconds);
        _counts[BucketOf(value)]++;
        Count++;
        Highest = Math.Max(Highest, value);
    }

    /// <summary>The value that this share of all (0 to 1) does not exceed, in nanoseconds; 0 while nothing was added.</summary>
    public long Quantile(double share)
    {
        var wanted = Math.Max(1, (long)Math.Ceiling(share * Count));
        var passed = 0L;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            passed += _counts[bucket];
            if (passed >= wanted)
            {
                return Math.Min(HighestOf(bucket), Highest);
            }
        }

        return 0;
    }

    public void Clear()
    {
        Array.Clear(_counts);
        Count = Highest = 0;
    }

    private static int BucketOf(long value)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)value | 1) - PartBits);
        return (shift << PartBits) + (int)(value >> shift);
    }

    private static long HighestOf(int bucket)
    {
        var shift = Math.Max(0, (bucket >> PartBits) - 1);
        var part = bucket - (shift << PartBits);
        return ((part + 1L) << shift) - 1;
    }
}
