// SPDX-License-Identifier: Apache-2.0

using Weft.Control.Serving;

namespace Weft.Control.Tests.Serving;

public sealed class DebounceTests
{
    private static readonly DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly Debounce _debounce = new(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(200));

    [Fact]
    public void Nothing_is_due_before_anything_happened()
    {
        Assert.Null(_debounce.Wait(_start));
        Assert.False(_debounce.IsDue(_start));
    }

    [Fact]
    public void A_single_change_is_due_after_the_quiet_time()
    {
        _debounce.Touch(At(0));
        Assert.Equal(TimeSpan.FromMilliseconds(15), _debounce.Wait(At(5)));
        Assert.True(_debounce.IsDue(At(20)));
    }

    [Fact]
    public void A_change_that_follows_prolongs_the_wait_but_not_beyond_the_maximum()
    {
        for (var ms = 0; ms < 200; ms += 10)
        {
            _debounce.Touch(At(ms));
            Assert.False(_debounce.IsDue(At(ms + 5)));
        }

        Assert.True(_debounce.IsDue(At(200)));
        Assert.Equal(At(0), _debounce.Since);
        _debounce.Clear();
        Assert.False(_debounce.IsDue(At(500)));
    }

    private static DateTimeOffset At(int ms) => _start.AddMilliseconds(ms);
}
