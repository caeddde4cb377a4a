// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Weft.Bench.Micro;

/// <summary>Something small that is done very often.</summary>
/// <param name="Name">As tables show it.</param>
/// <param name="Bytes">Input that one operation goes through.</param>
/// <param name="Run">Does it so many times. What it returns depends on the work, so that no compiler leaves the work out.</param>
internal sealed record Operation(string Name, int Bytes, Func<int, long> Run);

/// <summary>Times operations.</summary>
internal static class Stopwatches
{
    private const double PassMilliseconds = 20;

    /// <summary>Time of one operation in each pass, in nanoseconds, and the bytes that it allocates.</summary>
    public static (double[] Nanoseconds, double AllocatedBytes) Measure(Operation operation, int passes)
    {
        var times = Enough(operation);
        var nanoseconds = new double[passes];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var pass = 0; pass < passes; pass++)
        {
            var began = Stopwatch.GetTimestamp();
            GC.KeepAlive(operation.Run(times));
            nanoseconds[pass] = Stopwatch.GetElapsedTime(began).TotalNanoseconds / times;
        }

        // KeepAlive boxes one number a pass: less than half a byte for each operation, and rounded away.
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return (nanoseconds, Math.Round(allocated / ((double)passes * times)));
    }

    private static int Enough(Operation operation)
    {
        // The first call compiles.
        GC.KeepAlive(operation.Run(1));
        for (var times = 1; ; times *= 2)
        {
            var began = Stopwatch.GetTimestamp();
            GC.KeepAlive(operation.Run(times));
            if (Stopwatch.GetElapsedTime(began).TotalMilliseconds >= PassMilliseconds)
            {
                return times;
            }
        }
    }
}
