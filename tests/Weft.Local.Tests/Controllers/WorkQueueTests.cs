// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging.Abstractions;
using Weft.Local.Controllers;
using Weft.Testing;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class WorkQueueTests
{
    private static readonly ObjectKey _a = new("shop", "a");
    private static readonly ObjectKey _b = new("shop", "b");

    [Fact]
    public async Task A_key_waits_once_and_comes_again_if_it_is_added_while_it_is_worked_on()
    {
        var queue = new WorkQueue(10);
        queue.Add(_a);
        queue.Add(_a);
        Assert.Equal(1, queue.Count);
        Assert.Equal(_a, await queue.TakeAsync(CancellationToken.None));
        queue.Add(_a);
        queue.Add(_b);
        // Not _a: a second worker must not have it at the same time.
        Assert.Equal(_b, await queue.TakeAsync(CancellationToken.None));
        queue.Done(_a);
        Assert.Equal(_a, await queue.TakeAsync(CancellationToken.None));
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void A_full_queue_says_no_to_one_more()
    {
        var queue = new WorkQueue(2);
        Assert.True(queue.Add(_a));
        Assert.True(queue.Add(_b));
        Assert.True(queue.Add(_a));
        Assert.False(queue.Add(new ObjectKey("shop", "c")));
    }

    [Fact]
    public async Task After_an_overflow_everything_is_looked_at_again()
    {
        var seen = new HashSet<ObjectKey>();
        using var stop = new CancellationTokenSource();
        var keys = Enumerable.Range(0, 5).Select(i => new ObjectKey("shop", $"o{i}")).ToArray();
        var loop = new ControlLoop("test", Turn, TimeProvider.System, new Random(1), NullLogger.Instance, limit: 2) { Everything = () => keys.Where(key => !seen.Contains(key)) };
        foreach (var key in keys)
        {
            loop.Enqueue(key);
        }

        var running = loop.RunAsync(stop.Token);
        await Eventually.HoldsAsync("all were seen", () => Task.FromResult(seen.Count == 5));
        await stop.CancelAsync();
        await running;

        Task<TimeSpan?> Turn(ObjectKey key, CancellationToken ct)
        {
            seen.Add(key);
            return Task.FromResult<TimeSpan?>(null);
        }
    }

    [Fact]
    public async Task A_turn_that_fails_is_tried_again()
    {
        var turns = 0;
        using var stop = new CancellationTokenSource();
        var loop = new ControlLoop("test", (_, _) => ++turns < 3 ? throw new IOException("not yet") : Task.FromResult<TimeSpan?>(null), TimeProvider.System, new Random(1), NullLogger.Instance);
        loop.Enqueue(_a);
        var running = loop.RunAsync(stop.Token);
        await Eventually.HoldsAsync("the third turn", () => Task.FromResult(turns == 3));
        await stop.CancelAsync();
        await running;
    }
}
