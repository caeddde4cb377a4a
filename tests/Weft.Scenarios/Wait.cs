// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Weft.Scenarios;

/// <summary>Waits for conditions, never for the clock alone.</summary>
internal static class Wait
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks until the answer is yes; fails with the last thing seen. Returns how long it took.</summary>
    public static async Task<TimeSpan> UntilAsync(string what, Func<Task<(bool Done, string Seen)>> ask, TimeSpan? deadline = null)
    {
        var watch = Stopwatch.StartNew();
        var limit = deadline ?? TimeSpan.FromSeconds(60);
        while (true)
        {
            var (done, seen) = await ask();
            if (done)
            {
                return watch.Elapsed;
            }

            Assert.True(watch.Elapsed < limit, $"Waited {limit.TotalSeconds:0} s in vain until {what}. Last seen: {seen}");
            await Task.Delay(_pause);
        }
    }
}
