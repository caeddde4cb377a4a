// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Brings objects one by one to where they should be; what fails is tried again, later each time.</summary>
/// <remarks>Level-triggered: a turn looks at what is, never at which change woke it, so a lost or doubled wake-up does no harm.</remarks>
internal sealed partial class ControlLoop(
    string name,
    Func<ObjectKey, CancellationToken, Task<TimeSpan?>> turn,
    TimeProvider clock,
    Random random,
    ILogger log,
    int limit = WorkQueue.DefaultLimit)
{
    private static readonly TimeSpan _firstDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _maxDelay = TimeSpan.FromSeconds(30);

    /// <summary>A timer has a limit; to look too early does no harm.</summary>
    private static readonly TimeSpan _longestWait = TimeSpan.FromDays(1);

    private readonly WorkQueue _queue = new(limit);
    private readonly ConcurrentDictionary<ObjectKey, Backoff> _failing = new();
    private readonly ConcurrentDictionary<ObjectKey, ITimer> _later = new();
    private int _overflowed;

    /// <summary>Asked for all keys after the queue was full, since then some were not taken.</summary>
    public Func<IEnumerable<ObjectKey>> Everything { get; init; } = () => [];

    public void Enqueue(ObjectKey key)
    {
        if (!_queue.Add(key))
        {
            Interlocked.Exchange(ref _overflowed, 1);
        }
    }

    public void EnqueueAfter(ObjectKey key, TimeSpan delay)
    {
        var wait = delay < TimeSpan.Zero ? TimeSpan.Zero : delay > _longestWait ? _longestWait : delay;
        var timer = clock.CreateTimer(_ => Wake(key), null, wait, Timeout.InfiniteTimeSpan);
        _later.AddOrUpdate(key, timer, (_, old) =>
        {
            old.Dispose();
            return timer;
        });
    }

    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                var key = await _queue.TakeAsync(ct);
                await TurnAsync(key, ct);
                _queue.Done(key);
                if (_queue.Count == 0 && Interlocked.Exchange(ref _overflowed, 0) == 1)
                {
                    LogOverflow(log, name, limit);
                    foreach (var again in Everything())
                    {
                        Enqueue(again);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            foreach (var timer in _later.Values)
            {
                await timer.DisposeAsync();
            }
        }
    }

    private async Task TurnAsync(ObjectKey key, CancellationToken ct)
    {
        try
        {
            var again = await turn(key, ct);
            _failing.TryRemove(key, out _);
            if (again is { } delay)
            {
                EnqueueAfter(key, delay);
            }
        }
        catch (Exception failed) when (failed is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // One object that a controller cannot make sense of must not stop the others.
            var delay = _failing.GetOrAdd(key, _ => new Backoff(_firstDelay, _maxDelay, random)).Next();
            if (failed is KubernetesException { IsConflict: true })
            {
                LogConflict(log, name, key);
            }
            else if (failed is KubernetesException or HttpRequestException or IOException or TimeoutException)
            {
                LogFailure(log, name, key, delay.TotalMilliseconds, failed.Message);
            }
            else
            {
                LogBug(log, name, key, delay.TotalMilliseconds, failed);
            }

            EnqueueAfter(key, delay);
        }
    }

    private void Wake(ObjectKey key)
    {
        if (_later.TryRemove(key, out var timer))
        {
            timer.Dispose();
        }

        Enqueue(key);
    }

    [LoggerMessage(5101, LogLevel.Debug, "{Loop}: {Key} was changed by somebody else; looking again.")]
    private static partial void LogConflict(ILogger log, string loop, ObjectKey key);

    [LoggerMessage(5102, LogLevel.Warning, "{Loop}: {Key} failed, trying again in {Delay:0} ms. {Message}")]
    private static partial void LogFailure(ILogger log, string loop, ObjectKey key, double delay, string message);

    [LoggerMessage(5106, LogLevel.Error, "{Loop}: {Key} failed unexpectedly, trying again in {Delay:0} ms.")]
    private static partial void LogBug(ILogger log, string loop, ObjectKey key, double delay, Exception error);

    [LoggerMessage(5103, LogLevel.Warning, "{Loop}: more than {Limit} objects waited at once; looking at all of them again.")]
    private static partial void LogOverflow(ILogger log, string loop, int limit);
}
