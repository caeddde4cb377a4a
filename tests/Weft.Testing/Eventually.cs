// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Xunit;

namespace Weft.Testing;

/// <summary>Waits for a condition that other tasks bring about; the clock only ends the wait.</summary>
public static class Eventually
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(10);

    public static async Task HoldsAsync(string what, Func<Task<bool>> ask, Func<Task<string>>? seen = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await ask())
        {
            if (watch.Elapsed > _limit)
            {
                Assert.Fail($"Waited {_limit.TotalSeconds:0} s in vain until {what}. {(seen is null ? "" : await seen())}");
            }

            await Task.Delay(_pause);
        }
    }
}
