// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Bench.Micro;

/// <summary>Something small that is done very often.</summary>
/// <param name="Name">As tables show it.</param>
/// <param name="Bytes">Input that one operation goes through.</param>
/// <param name="Run">Does it so many times. What it returns depends on the work, so that no compiler leaves the work out.</param>
internal sealed record Operation(string Name, int Bytes, Func<int, long> Run);

/// <summary>Times operations by the thread's own CPU clock, so that others on the machine do not count.</summary>
internal static partial class Stopwatches
{
    private const int ThreadCpuClock = 3;
    private const double PassMilliseconds = 20;

    /// <summary>Time of one operation in each pass, in nanoseconds, and the bytes that it allocates.</summary>
    public static (double[] Nanoseconds, double AllocatedBytes) Measure(Operation operation, int passes)
    {
        var times = Enough(operation);
        var nanoseconds = new double[passes];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var pass = 0; pass < passes; pass++)
        {
            var began = Now();
            GC.KeepAlive(operation.Run(times));
            nanoseconds[pass] = (Now() - began) / (double)times;
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
            var began = Now();
            GC.KeepAlive(operation.Run(times));
            if (Now() - began >= PassMilliseconds * 1e6)
            {
                return times;
            }
        }
    }

    /// <summary>Nanoseconds that this thread has run.</summary>
    private static long Now()
    {
        _ = GetTime(ThreadCpuClock, out var time);
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }

    [LibraryImport("libc.so.6", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}
