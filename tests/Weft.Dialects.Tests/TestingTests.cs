// SPDX-License-Identifier: Apache-2.0

using Weft.Testing;
using Xunit;

namespace Weft.Dialects.Tests;

/// <summary>The tools that other tests stand on must themselves be able to fail.</summary>
public sealed class TestingTests
{
    [Fact]
    public void A_case_file_has_a_head_settings_and_sections()
    {
        var test = CaseFile.Parse("x.case", "# What it shows.\nmode: strict\n---- input\na: 1\n---- output\nb\n\n");

        Assert.Equal("strict", test.Settings["mode"]);
        Assert.Equal("a: 1\n", test["input"]);
        Assert.Throws<InvalidOperationException>(() => test["nothing"]);
        if (!CaseFile.Accepting)
        {
            test.Check(("output", "b"));
            Assert.ThrowsAny<Exception>(() => test.Check(("output", "c")));
        }
    }

    [Fact]
    public void A_manual_clock_fires_timers_in_order_and_only_when_moved()
    {
        var clock = new ManualClock();
        var fired = new List<string>();
        using var late = clock.CreateTimer(_ => fired.Add($"late {clock.GetUtcNow().Second}"), null, TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        using var often = clock.CreateTimer(_ => fired.Add($"often {clock.GetUtcNow().Second}"), null, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));

        Assert.Empty(fired);
        clock.Advance(TimeSpan.FromSeconds(5));
        often.Dispose();
        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(["often 2", "often 4", "late 5"], fired);
        Assert.Equal(10, clock.GetElapsedTime(0, clock.GetTimestamp()).Seconds - clock.GetElapsedTime(0, new ManualClock().GetTimestamp()).Seconds);
    }

    [Fact]
    public async Task A_delay_on_a_manual_clock_ends_when_the_clock_is_moved()
    {
        var clock = new ManualClock();
        var delay = Task.Delay(TimeSpan.FromMinutes(1), clock);

        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(delay.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));

        await delay;
    }

    [Fact]
    public void The_fuzz_driver_finds_a_planted_bug_and_cuts_it_down()
    {
        var driver = new FuzzDriver(["hello world"u8.ToArray()], ["<bug>"]);

        var find = driver.Run(
            bytes => Assert.False(bytes.AsSpan().IndexOf("<bug>"u8) >= 0), seed: 1, iterations: 10_000, TimeProvider.System);

        Assert.NotNull(find);
        Assert.Equal("<bug>"u8.ToArray(), find.Input);
    }
}
