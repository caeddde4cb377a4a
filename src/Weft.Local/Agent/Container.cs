// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>One container of one pod: starts its process, probes it, restarts it, and always knows its state.</summary>
internal sealed partial class Container : IDisposable
{
    private readonly PodSpec _pod;
    private readonly ContainerScene _scene;
    private readonly ContainerWaiting _waiting;
    private readonly Lock _changing = new();
    private readonly RestartPause _backoff;

    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _startedUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ContainerState _state = new ContainerState.Waiting("ContainerCreating");
    private ContainerState? _last;
    private ContainerProcess? _process;
    private ContainerStart? _start;
    private ContainerOutput _output = new();
    private string _id = "";
    private string _restartPolicy = "Always";
    private int _restarts;
    private bool _started;
    private bool _ready;
    private bool _stopping;

    /// <param name="prepare">Makes what a start needs, or throws what is missing.</param>
    public Container(ContainerSpec spec, PodSpec pod, Func<CancellationToken, Task<ContainerStart>> prepare, ContainerScene scene)
    {
        Spec = spec;
        _pod = pod;
        _scene = scene = scene with { Events = scene.Events.Of(spec.Name) };
        _waiting = new ContainerWaiting(spec, scene, prepare, Wait);
        _backoff = spec.IsProxy
            ? new RestartPause(TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5))
            : new RestartPause(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10));
    }

    public ContainerSpec Spec { get; }

    public string LogFolder => PodFiles.LogFolder(_scene.PodFolder, Spec.Name);

    /// <summary>Completes when it runs and its postStart hook has ended, or when it has to wait: the next one may begin.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Completes when its startup probe, if any, has passed for the first time.</summary>
    public Task StartedUp => _startedUp.Task;

    /// <summary>A picture of this moment.</summary>
    public ContainerSnapshot Snapshot
    {
        get
        {
            lock (_changing)
            {
                return new ContainerSnapshot(Spec, _state, _last, _restarts, _started, _ready)
                {
                    ProcessId = _process?.ProcessId ?? 0,
                    Start = _start,
                    Id = _id,
                };
            }
        }
    }

    /// <summary>The streams of the process that runs, for clients that attach; null while there is none.</summary>
    public ContainerStreams? Streams
    {
        get
        {
            lock (_changing)
            {
                return _process is { } process
                    ? new ContainerStreams(_output, Spec.HasInput ? process.Input : null, process.Terminal, Spec.InputEndsWithClient)
                    : null;
            }
        }
    }

    /// <summary>Runs it, and again as the policy says, until it has ended for good or is cancelled. Returns the last exit code.</summary>
    public async Task<int> RunAsync(string restartPolicy, CancellationToken stop)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stop, _ending.Token);
        var ct = linked.Token;
        _restartPolicy = restartPolicy;
        Directory.CreateDirectory(LogFolder);
        try
        {
            while (true)
            {
                var began = _scene.Time.GetTimestamp();
                var exitCode = await RunOnceAsync(ct);
                if (_stopping || ct.IsCancellationRequested || restartPolicy == "Never" || (restartPolicy == "OnFailure" && exitCode == 0))
                {
                    return exitCode;
                }

                await PauseAsync(_backoff.Next(_scene.Time.GetElapsedTime(began)), ct);
                Change(() =>
                {
                    _last = _state is ContainerState.Terminated ? _state : _last;
                    _restarts++;
                });
            }
        }
        finally
        {
            _begun.TrySetResult();
        }
    }

    /// <summary>
    /// Runs its preStop hook, asks the process to end, and kills it at the deadline. <paramref name="running"/> (of
    /// <see cref="RunAsync"/>) has completed then.
    /// </summary>
    public async Task StopAsync(Task running, CancellationToken deadline)
    {
        ContainerProcess? process;
        lock (_changing)
        {
            _stopping = true;
            _ready = false;
            process = _process;
        }

        _scene.Changed();
        if (process is null)
        {
            // It waits for a restart or for its configuration: there is nothing to be patient with.
            await _ending.CancelAsync();
        }
        else
        {
            _scene.Events.Normal("Killing", $"Stopping container {Spec.Name}");
            await Ending().EndAsync(process, deadline);
        }

        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
            // Its loop was waiting for a restart.
        }
    }

    public void Dispose() => _ending.Dispose();

    private async Task PauseAsync(TimeSpan pause, CancellationToken ct)
    {
        if (pause > TimeSpan.FromSeconds(1))
        {
            _scene.Events.Warning("BackOff", $"Back-off restarting failed container {Spec.Name} in pod {_pod.Name}_{_pod.Namespace}({_pod.Uid})");
            Change(() =>
            {
                _last = _state;
                _state = new ContainerState.Waiting(
                    "CrashLoopBackOff",
                    $"back-off {Words(pause)} restarting failed container={Spec.Name} pod={_pod.Name}_{_pod.Namespace}({_pod.Uid})");
            });
        }

        await Task.Delay(pause, _scene.Time, ct);
    }

    /// <summary>As Go writes a duration: 40s, 1m20s, 5m0s.</summary>
    private static string Words(TimeSpan pause) =>
        pause.TotalSeconds < 60 ? $"{pause.TotalSeconds:0}s" : $"{(int)pause.TotalMinutes}m{pause.Seconds}s";

    private async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var start = await PrepareAsync(ct);
        var id = $"weft://{_pod.Uid}/{Spec.Name}/{_restarts}";
        var output = new ContainerOutput();
        using var log = new ContainerLog(Path.Combine(LogFolder, $"{_restarts}.log"), _scene.Time) { Copy = output.Write };
        _scene.Events.Normal("Created", $"Created container: {Spec.Name}");
        var since = _scene.Time.GetUtcNow();
        using var process = ContainerProcess.Start(start);
        if (await process.WhenPreparedAsync(CancellationToken.None) is { Length: > 0 } problem)
        {
            return await FailToStartAsync(problem, since, start);
        }

        process.Follow(log);
        lock (_changing)
        {
            (_start, _process, _id, _output) = (start, process, id, output);
            if (_stopping)
            {
                process.Kill();
            }
        }

        _scene.Events.Normal("Started", $"Started container {Spec.Name}");
        LogStarted(_scene.Log, _pod.Namespace, _pod.Name, Spec.Name);
        var exitCode = await WatchAsync(process, start, since, ct);
        output.End();
        RemoveOldLogs();
        var ended = new ContainerState.Terminated(exitCode, Reason(exitCode, start), Message(exitCode, start), since, _scene.Time.GetUtcNow()) { Id = id };
        start.Group?.Remove();
        Change(() => (_state, _started, _ready) = (ended, false, false));
        LogEnded(_scene.Log, _pod.Namespace, _pod.Name, Spec.Name, exitCode);
        return exitCode;
    }

    /// <summary>While the process runs: its hook, then its probes.</summary>
    private async Task<int> WatchAsync(ContainerProcess process, ContainerStart start, DateTimeOffset since, CancellationToken ct)
    {
        using var probing = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var probes = BeginAsync(process, start, since, probing.Token);
        try
        {
            return await process.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            return await process.WaitAsync(CancellationToken.None);
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
    }

    private async Task BeginAsync(ContainerProcess process, ContainerStart start, DateTimeOffset since, CancellationToken ct)
    {
        var call = CallFor(start);
        try
        {
            if (Spec.Hook("postStart") is { } hook && await call.AttemptAsync(hook, Timeout.InfiniteTimeSpan, ct) is (false, var why))
            {
                _scene.Events.Warning("FailedPostStartHook", $"PostStartHook failed: {why}");
                Change(() => _state = new ContainerState.Waiting("PostStartHookError", $"PostStartHook failed: {why}"));
                _begun.TrySetResult();
                await Ending().KillAsync(process, "FailedPostStartHook", _pod.Grace);
                return;
            }

            Change(() => (_state, _started, _ready) = (new ContainerState.Running(since), false, false));
            _begun.TrySetResult();
            await new ContainerProbes(Spec, call, _scene.Time).RunAsync(report => Take(report, process), ct);
        }
        catch (OperationCanceledException)
        {
            // The container has ended.
        }
    }

    /// <summary>What a probe has found.</summary>
    private void Take((ProbeKind Kind, ProbeReport? Report, TimeSpan? Grace) found, ContainerProcess process)
    {
        var (kind, report, grace) = found;
        if (report is { Passed: false })
        {
            LogUnhealthy(_scene.Log, _pod.Namespace, _pod.Name, Spec.Name, kind, report.Message);
            _scene.Events.Warning("Unhealthy", $"{kind} probe failed: {report.Message}");
        }

        switch (kind, report?.Verdict)
        {
            case (ProbeKind.Startup, null) when report is null:
            case (ProbeKind.Startup, true):
                Change(() => _started = true);
                _startedUp.TrySetResult();
                break;
            case (ProbeKind.Readiness, var verdict) when report is null || report.Turned:
                Change(() => _ready = verdict != false && !_stopping);
                break;
            case (ProbeKind.Startup or ProbeKind.Liveness, false) when report is { Turned: true }:
                var name = kind == ProbeKind.Startup ? "startup" : "liveness";
                _ = Ending().KillAsync(process, $"Container {Spec.Name} failed {name} probe{(_restartPolicy == "Never" ? "" : ", will be restarted")}", grace ?? _pod.Grace);
                break;
        }
    }

    private async Task<int> FailToStartAsync(string problem, DateTimeOffset since, ContainerStart start)
    {
        _scene.Events.Warning("Failed", $"Error: failed to start container \"{Spec.Name}\": {problem}");
        start.Group?.Remove();
        var message = $"failed to start container \"{Spec.Name}\": {problem}";
        Change(() => (_state, _start) = (
            new ContainerState.Terminated(ContainerScript.FailureCode, "StartError", message, since, _scene.Time.GetUtcNow()), start));
        LogNotStarted(_scene.Log, _pod.Namespace, _pod.Name, Spec.Name, problem);
        _begun.TrySetResult();
        await Task.Yield();
        return ContainerScript.FailureCode;
    }

    private Task<ContainerStart> PrepareAsync(CancellationToken ct) => _waiting.RunAsync(() => _begun.TrySetResult(), ct);

    private bool Wait(ContainerState.Waiting state)
    {
        var isNew = _state != state;
        if (isNew)
        {
            Change(() => _state = state);
        }

        return isNew;
    }

    private ContainerEnding Ending() => new(Spec, _scene, Snapshot.Start is { } start ? CallFor(start) : null, _ending.Token);

    private ProbeCall CallFor(ContainerStart start) => new(
        start.Network.Address, async (words, ct) => await ContainerCommand.RunAsync(Snapshot, words, ct), _scene.Time);

    private static string Reason(int exitCode, ContainerStart start) =>
        start.Group?.OutOfMemoryKills > 0 && exitCode != 0 ? "OOMKilled" : exitCode == 0 ? "Completed" : "Error";

    private string Message(int exitCode, ContainerStart start) => TerminationMessage.Read(
        start.MessageFile,
        exitCode != 0 && Spec.MessageFallsBackToLog ? Path.Combine(LogFolder, $"{_restarts}.log") : "");

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

        _scene.Changed();
    }

    [LoggerMessage(5401, LogLevel.Information, "{Namespace}/{Pod}: container '{Container}' has started.")]
    private static partial void LogStarted(ILogger log, string @namespace, string pod, string container);

    [LoggerMessage(5402, LogLevel.Information, "{Namespace}/{Pod}: container '{Container}' has ended with exit code {ExitCode}.")]
    private static partial void LogEnded(ILogger log, string @namespace, string pod, string container, int exitCode);

    [LoggerMessage(5403, LogLevel.Warning, "{Namespace}/{Pod}: container '{Container}' failed its {Kind} probe: {Reason}")]
    private static partial void LogUnhealthy(ILogger log, string @namespace, string pod, string container, ProbeKind kind, string reason);

    [LoggerMessage(5405, LogLevel.Warning, "{Namespace}/{Pod}: container '{Container}' could not be started: {Reason}")]
    private static partial void LogNotStarted(ILogger log, string @namespace, string pod, string container, string reason);
}

/// <summary>Where a client that attaches finds a running container's output and, if it has one, its input.</summary>
internal sealed record ContainerStreams(ContainerOutput Output, Stream? Input, Serving.Terminal? Terminal, bool InputEndsWithClient);
