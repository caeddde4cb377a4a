// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Agent;

/// <summary>Ends a container's process: its preStop hook, the signal, and the kill when time is over.</summary>
/// <param name="call">Runs the hook; null for a container that has never started.</param>
/// <param name="gone">Cancelled when nobody waits any more.</param>
internal sealed class ContainerEnding(ContainerSpec spec, ContainerScene scene, ProbeCall? call, CancellationToken gone)
{
    /// <summary>What a container gets whose hook has used up all its time.</summary>
    private static readonly TimeSpan _leastGrace = TimeSpan.FromSeconds(2);

    /// <summary>Completes when the process has ended, by itself or killed after its time of grace.</summary>
    public async Task KillAsync(ContainerProcess process, string why, TimeSpan grace)
    {
        scene.Events.Normal("Killing", why);
        using var limit = new CancellationTokenSource(grace, scene.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, gone);
        try
        {
            await EndAsync(process, both.Token);
            await process.WaitAsync(both.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException)
        {
            // Its time is over, or it had ended already.
            process.Kill();
        }
    }

    /// <summary>Returns when the process has been asked to end; at the deadline it is killed.</summary>
    public async Task EndAsync(ContainerProcess process, CancellationToken deadline)
    {
        if (!deadline.IsCancellationRequested && spec.Hook("preStop") is { } hook && call is not null)
        {
            try
            {
                if (await call.AttemptAsync(hook, Timeout.InfiniteTimeSpan, deadline) is (false, var why))
                {
                    scene.Events.Warning("FailedPreStopHook", $"PreStopHook failed: {why}");
                }
            }
            catch (OperationCanceledException)
            {
                scene.Events.Warning("FailedPreStopHook", "PreStopHook failed: it did not end within the grace period");
                process.Terminate();
                await Task.WhenAny(process.WaitAsync(CancellationToken.None), Task.Delay(_leastGrace, scene.Time, CancellationToken.None));
            }
        }

        if (deadline.IsCancellationRequested)
        {
            process.Kill();
            return;
        }

        process.Terminate();
        deadline.Register(process.Kill);
    }
}
