// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Agent;

/// <summary>
/// A pod's running containers and the order in which they end: those of one step together, each step when the one before has
/// ended, all within one time of grace.
/// </summary>
internal sealed class PodStop(TimeProvider time) : IDisposable
{
    /// <summary>The application's step.</summary>
    public const int First = 0;

    /// <summary>The mesh's sidecar's: while others finish their work, it must still carry their traffic.</summary>
    public const int Last = int.MaxValue;

    private readonly Lock _turn = new();
    private readonly List<(Container Container, Task<int> Running, int Step)> _all = [];
    private readonly CancellationTokenSource _killing = new();
    private readonly CancellationTokenSource _deadline = new(Timeout.InfiniteTimeSpan, time);
    private long _began;
    private Task? _running;
    private bool _closed;

    /// <summary>Cancelled when nobody is patient any more.</summary>
    public CancellationToken Killed => _killing.Token;

    /// <summary>Starts a container that will end in this step.</summary>
    /// <exception cref="OperationCanceledException">The pod is at its end: whoever wanted to go on with its life stops here.</exception>
    public Task<int> StartAsync(Container container, string restartPolicy, int step)
    {
        lock (_turn)
        {
            return TryStart(container, restartPolicy, step) ? _all[^1].Running : throw new OperationCanceledException();
        }
    }

    /// <summary>Starts a container that will end in this step; false if the pod is at its end.</summary>
    public bool TryStart(Container container, string restartPolicy, int step)
    {
        lock (_turn)
        {
            if (_running is null)
            {
                _all.Add((container, container.RunAsync(restartPolicy, _killing.Token), step));
            }

            return _running is null;
        }
    }

    /// <summary>How long the end may take, from its beginning; the shorter time counts when it is said again.</summary>
    public void Allow(TimeSpan grace)
    {
        lock (_turn)
        {
            if (_closed || _killing.IsCancellationRequested)
            {
                return;
            }

            _began = _began == 0 ? time.GetTimestamp() : _began;
            var left = grace - time.GetElapsedTime(_began);
            _deadline.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1));
        }
    }

    /// <summary>Ends all at once.</summary>
    public void Now()
    {
        _deadline.Cancel();
        _killing.Cancel();
    }

    /// <summary>Ends them in order; completes when all have ended. Calling it again waits for the same end.</summary>
    public Task RunAsync()
    {
        lock (_turn)
        {
            return _running ??= StopAsync();
        }
    }

    /// <summary>Lets go of its timer. Whoever still holds the pod may go on signalling, to no effect: the API's words come at any time.</summary>
    public void Dispose()
    {
        lock (_turn)
        {
            _closed = true;
            _deadline.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    private async Task StopAsync()
    {
        // Out of the caller's lock.
        await Task.Yield();
        (Container Container, Task<int> Running, int Step)[] all;
        lock (_turn)
        {
            all = [.. _all];
        }

        foreach (var step in all.GroupBy(r => r.Step).OrderBy(g => g.Key))
        {
            await Task.WhenAll(step.Where(r => !r.Running.IsCompleted).Select(r => r.Container.StopAsync(r.Running, _deadline.Token)));
        }
    }
}
