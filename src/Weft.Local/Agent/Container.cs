// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>One container of one pod: starts its process, probes it, restarts it, and always knows its state.</summary>
internal sealed partial class Container(ContainerSpec spec, PodSpec pod, Func<CancellationToken, Task<ContainerStart>> prepare, ContainerScene scene)
    : IDisposable
{
    private static readonly TimeSpan _retryConfig = TimeSpan.FromSeconds(2);

    private readonly Lock _changing = new();
    private readonly RestartPause _backoff = spec.IsProxy
        ? new RestartPause(TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5))
        : new RestartPause(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10));

    private readonly CancellationTokenSource _ending = new();
    private ContainerState _state = new ContainerState.Waiting("ContainerCreating");
    private ContainerState? _last;
    private ContainerProcess? _process;
    private ContainerStart? _start;
    private int _restarts;
    private bool _started;
    private bool _ready;
    private bool _stopping;

    public ContainerSpec Spec { get; } = spec;

    public string LogFolder => Path.Combine(scene.PodFolder, Spec.Name);

    /// <summary>A picture of this moment.</summary>
    public ContainerSnapshot Snapshot
    {
        get
        {
            lock (_changing)
            {
                return new ContainerSnapshot(
                    Spec, _state, _last, _restarts, _started, _ready, _process?.ProcessId ?? 0, _start);
            }
        }
    }

    /// <summary>Runs it, and again as the policy says, until it has ended for good or is cancelled. Returns the last exit code.</summary>
    public async Task<int> RunAsync(string restartPolicy, CancellationToken stop)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stop, _ending.Token);
        var ct = linked.Token;
        Directory.CreateDirectory(LogFolder);
        while (true)
        {
            var began = scene.Time.GetTimestamp();
            var exitCode = await RunOnceAsync(ct);
            if (_stopping || ct.IsCancellationRequested || restartPolicy == "Never" || (restartPolicy == "OnFailure" && exitCode == 0))
            {
                return exitCode;
            }

            var pause = _backoff.Next(scene.Time.GetElapsedTime(began));
            if (pause > TimeSpan.FromSeconds(1))
            {
                scene.Events.Warning("BackOff", $"Back-off restarting failed container {Spec.Name} in pod {pod.Name}_{pod.Namespace}({pod.Uid})");
                Change(() =>
                {
                    _last = _state;
                    _state = new ContainerState.Waiting(
                        "CrashLoopBackOff",
                        $"back-off {pause.TotalSeconds:0}s restarting failed container={Spec.Name} pod={pod.Name}_{pod.Namespace}({pod.Uid})");
                });
            }

            await Task.Delay(pause, scene.Time, ct);
            Change(() =>
            {
                _last = _state is ContainerState.Terminated ? _state : _last;
                _restarts++;
            });
        }
    }

    /// <summary>Asks the process to end, gives it time, kills it. <paramref name="running"/> (of <see cref="RunAsync"/>) has completed then.</summary>
    public async Task StopAsync(TimeSpan grace, Task running)
    {
        ContainerProcess? process;
        lock (_changing)
        {
            _stopping = true;
            _ready = false;
            process = _process;
        }

        scene.Changed();
        scene.Events.Normal("Killing", $"Stopping container {Spec.Name}");
        if (process is null)
        {
            // It waits for a restart or for its configuration: there is nothing to be patient with.
            await _ending.CancelAsync();
        }
        else
        {
            process.Terminate();
        }

        using var limit = new CancellationTokenSource(grace, scene.Time);
        await using (limit.Token.Register(_ending.Cancel))
        {
            try
            {
                await running;
            }
            catch (OperationCanceledException)
            {
                // Its loop was waiting for a restart.
            }
        }
    }

    public void Dispose() => _ending.Dispose();

    private async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var start = await PrepareAsync(ct);
        using var log = new ContainerLog(Path.Combine(LogFolder, $"{_restarts}.log"), scene.Time);
        var since = scene.Time.GetUtcNow();
        using var process = ContainerProcess.Start(start, log);
        lock (_changing)
        {
            _start = start;
            _process = process;
            if (_stopping)
            {
                process.Kill();
            }
        }

        await process.WhenPreparedAsync(scene.Time, CancellationToken.None);
        Change(() => (_state, _started, _ready) = (new ContainerState.Running(since), false, false));
        LogStarted(scene.Log, pod.Namespace, pod.Name, Spec.Name);
        scene.Events.Normal("Started", $"Started container {Spec.Name}");
        using var probing = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var probes = ProbeAsync(start, process, probing.Token);
        int exitCode;
        try
        {
            exitCode = await process.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            exitCode = await process.WaitAsync(CancellationToken.None);
        }
        finally
        {
            lock (_changing)
            {
                _process = null;
            }

            await probing.CancelAsync();
            await probes;
        }

        RemoveOldLogs();
        Change(() => (_state, _started, _ready) = (new ContainerState.Terminated(exitCode, since, scene.Time.GetUtcNow()), false, false));
        LogEnded(scene.Log, pod.Namespace, pod.Name, Spec.Name, exitCode);
        return exitCode;
    }

    /// <summary>Waits until everything that the container needs is there, and says meanwhile what is missing.</summary>
    private async Task<ContainerStart> PrepareAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return await prepare(ct);
            }
            catch (ConfigException e)
            {
                Wait("CreateContainerConfigError", e.Message);
            }
            catch (MissingCommandException e)
            {
                Wait("ImagePullBackOff", e.Message);
            }
            catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
            {
                Wait("CreateContainerError", e.Message);
            }

            await Task.Delay(_retryConfig, scene.Time, ct);
        }
    }

    private void Wait(string reason, string message)
    {
        var state = new ContainerState.Waiting(reason, message);
        if (_state != state)
        {
            Change(() => _state = state);
            scene.Events.Warning("Failed", $"Error: {reason}: {message}");
        }
    }

    private async Task ProbeAsync(ContainerStart start, ContainerProcess process, CancellationToken ct)
    {
        try
        {
            if (Probe.Parse(Spec, ProbeKind.Startup) is { } startup)
            {
                await ProberFor(startup, start).RunAsync((passed, why) => Startup(passed, why, process), ct);
            }

            Change(() => _started = true);
            var readiness = Probe.Parse(Spec, ProbeKind.Readiness);
            var liveness = Probe.Parse(Spec, ProbeKind.Liveness);
            if (readiness is null)
            {
                Change(() => _ready = !_stopping);
            }

            await Task.WhenAll(
                readiness is null ? Task.CompletedTask : ProberFor(readiness, start).RunAsync(Readiness, ct),
                liveness is null ? Task.CompletedTask : ProberFor(liveness, start).RunAsync((alive, why) => Liveness(alive, why, process), ct));
        }
        catch (OperationCanceledException)
        {
            // The container has ended.
        }
    }

    private void Startup(bool passed, string why, ContainerProcess process)
    {
        if (!passed)
        {
            LogNotStarted(scene.Log, pod.Namespace, pod.Name, Spec.Name, why);
            scene.Events.Warning("Unhealthy", $"Startup probe failed: {why}");
            process.Terminate();
        }
    }

    private void Readiness(bool passed, string why)
    {
        Change(() => _ready = passed && !_stopping);
        if (!passed)
        {
            LogNotReady(scene.Log, pod.Namespace, pod.Name, Spec.Name, why);
            scene.Events.Warning("Unhealthy", $"Readiness probe failed: {why}");
        }
    }

    private void Liveness(bool alive, string why, ContainerProcess process)
    {
        if (!alive)
        {
            LogNotAlive(scene.Log, pod.Namespace, pod.Name, Spec.Name, why);
            scene.Events.Warning("Unhealthy", $"Liveness probe failed: {why}");
            process.Terminate();
        }
    }

    private Prober ProberFor(Probe probe, ContainerStart start) => new(
        probe,
        start.Network.Address,
        async (words, ct) => await ContainerCommand.RunAsync(Snapshot, words, ct),
        scene.Time);

    /// <summary>Kubernetes keeps the log of this run and of the one before.</summary>
    private void RemoveOldLogs()
    {
        foreach (var name in new[] { $"{_restarts - 2}.log", $"{_restarts - 2}.log.1" })
        {
            File.Delete(Path.Combine(LogFolder, name));
        }
    }

    private void Change(Action change)
    {
        lock (_changing)
        {
            change();
        }

        scene.Changed();
    }

    [LoggerMessage(5401, LogLevel.Information, "{Namespace}/{Pod}: container '{Container}' has started.")]
    private static partial void LogStarted(ILogger log, string @namespace, string pod, string container);

    [LoggerMessage(5402, LogLevel.Information, "{Namespace}/{Pod}: container '{Container}' has ended with exit code {ExitCode}.")]
    private static partial void LogEnded(ILogger log, string @namespace, string pod, string container, int exitCode);

    [LoggerMessage(5403, LogLevel.Warning, "{Namespace}/{Pod}: container '{Container}' is not ready: {Reason}")]
    private static partial void LogNotReady(ILogger log, string @namespace, string pod, string container, string reason);

    [LoggerMessage(5404, LogLevel.Warning, "{Namespace}/{Pod}: container '{Container}' failed its liveness probe and is ended: {Reason}")]
    private static partial void LogNotAlive(ILogger log, string @namespace, string pod, string container, string reason);

    [LoggerMessage(5405, LogLevel.Warning, "{Namespace}/{Pod}: container '{Container}' did not start in time and is ended: {Reason}")]
    private static partial void LogNotStarted(ILogger log, string @namespace, string pod, string container, string reason);
}

/// <summary>What a container's surroundings give it.</summary>
internal sealed record ContainerScene(string PodFolder, TimeProvider Time, ILogger Log, PodEvents Events, Action Changed);

/// <summary>A container at one moment.</summary>
internal sealed record ContainerSnapshot(
    ContainerSpec Spec,
    ContainerState State,
    ContainerState? Last,
    int Restarts,
    bool Started,
    bool Ready,
    int ProcessId,
    ContainerStart? Start);

/// <summary>No command is known for an image.</summary>
internal sealed class MissingCommandException(string message) : Exception(message);
