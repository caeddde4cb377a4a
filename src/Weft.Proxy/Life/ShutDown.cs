// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Life;

/// <summary>
/// The way down. Readiness ends and clients are asked to leave, while connections are still taken: others learn only after a while that this
/// proxy is going. The workload's own calls go on to the end.
/// </summary>
internal sealed class ShutDown(ProxyRuntime runtime, ShutDownSettings settings, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan _step = TimeSpan.FromMilliseconds(50);

    private readonly ManualResetEventSlim _now = new();

    /// <summary>Ends the waiting: somebody asked for the second time.</summary>
    internal void Hurry() => _now.Set();

    /// <summary>Returns when the process may end; what is open by then is cut.</summary>
    internal void Run()
    {
        var began = clock.GetTimestamp();
        runtime.Drain(DrainScope.Inbound);
        while (!IsOver(clock.GetElapsedTime(began)) && !_now.Wait(_step))
        {
        }

        runtime.CloseListeners(DrainScope.All);
    }

    /// <summary>
    /// The way down behind a successor, which takes the connections by now: returns when the last of this process's own has ended, or when the
    /// time is over.
    /// </summary>
    internal void RunBehindSuccessor(TimeSpan limit)
    {
        var began = clock.GetTimestamp();
        while (runtime.OpenConnections > 0 && clock.GetElapsedTime(began) < limit && !_now.Wait(_step))
        {
        }
    }

    public void Dispose() => _now.Dispose();

    private bool IsOver(TimeSpan elapsed) =>
        elapsed >= settings.Drain || (settings.EndsWhenIdle && elapsed >= settings.Minimum && runtime.CountBusy() == 0);
}
