// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Proxy.Io;

namespace Weft.Proxy;

/// <summary>
/// Gives back the memory that only the start needed: a node carries one proxy for every pod, so a megabyte here is many. Code that is needed
/// again is mapped again from the page cache.
/// </summary>
internal static class StartPages
{
    private const int AdviceDontNeed = 4;

    internal static void Release()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _ = Libc.MallocTrim(0);
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            // Only code: it is never written to, so dropping it loses nothing. Read-only data may hold relocated pointers.
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields is [var range, "r-xp", _, _, _, var file] && file.StartsWith('/') && TryParse(range, out var start, out var end))
            {
                _ = Libc.MemoryAdvise(start, (nuint)(end - start), AdviceDontNeed);
            }
        }
    }

    private static bool TryParse(string range, out nint start, out nint end)
    {
        end = 0;
        var dash = range.IndexOf('-', StringComparison.Ordinal);
        return nint.TryParse(range.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out start) &&
            nint.TryParse(range.AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out end);
    }
}
