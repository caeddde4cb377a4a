// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>
/// One pod from its first sight to its end: network, capture, sidecar, init containers, application; its status; its removal.
/// Capture is in force before the first process starts, and everything else starts when the sidecar is ready.
/// </summary>
internal sealed partial class Pod : IAsyncDisposable
{
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(500);

    private readonly PodScene _scene;
    private readonly string _folder;
    private readonly PodSandbox _sandbox;
    private readonly PodPreparation _preparation;
    private readonly PodStatus _status;
    private readonly PodEvents _events;
    private readonly PodPublisher _publisher;
    private readonly ContainerScene _containerScene;
    private readonly List<Container> _init;
    private readonly List<Container> _containers;
    private readonly List<Container> _ephemeral = [];
    private readonly PodStop _stop;
    private readonly Signal _changed = new();
    private readonly Signal _refresh = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _proxyReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTimeOffset _startTime;
    private PodSpec _spec;
    private PodEnd? _end;
    private string _problem = "";
    private volatile bool _vanished;

    /// <param name="random">For this pod alone.</param>
    public Pod(PodSpec spec, PodScene scene, Random random)
    {
        _spec = spec;
        _scene = scene;
        _folder = Path.Combine(scene.Options.Home.Pods, spec.Uid);
        _startTime = scene.Options.Time.GetUtcNow();
        var proxyFiles = new ProxyFiles(spec, _folder, scene.Client, scene.Options);
        _sandbox = new PodSandbox(scene, proxyFiles);
        _status = new PodStatus(spec, _startTime);
        _events = new PodEvents(spec, new EventLog(scene.Client, scene.Options.Time, random, scene.Options.Log, PodEvents.Component));
        _publisher = new PodPublisher(scene.Client, scene.Options);
        _preparation = new PodPreparation(spec, _folder, scene, proxyFiles, _events);
        _stop = new PodStop(scene.Options.Time);
        _containerScene = new ContainerScene(_folder, scene.Options.Time, scene.Options.Log, _events, OnChanged);
        _init = [.. spec.InitContainers.Select(Make)];
        _containers = [.. spec.Containers.Select(Make)];
    }

    public PodSpec Spec => _spec;

    public string Address => _sandbox.Network?.Address.ToString() ?? "";

    /// <summary>By which others enter its network; throws <see cref="InvalidOperationException"/> when it has none.</summary>
    public string NamespaceFile => _sandbox.Network?.NamespaceFile ?? throw new InvalidOperationException($"Pod '{_spec}' has no network.");

    /// <summary>All containers at this moment, init containers first.</summary>
    public IReadOnlyList<ContainerSnapshot> Containers => [.. All().Select(c => c.Snapshot)];

    public string LogFolder(string container) => PodFiles.LogFolder(_folder, container);

    /// <summary>The streams of a container that runs; null if there is none.</summary>
    public ContainerStreams? Streams(string container) => All().FirstOrDefault(c => c.Spec.Name == container)?.Streams;

    /// <summary>Takes in a newer version of the object: its end may have been asked for, or a container for debugging.</summary>
    public void Update(PodSpec newer)
    {
        var before = _spec;
        _spec = newer;
        if (newer.IsDeleting)
        {
            _stop.Allow(newer.Grace);
            _stopping.Cancel();
        }
        else
        {
            StartEphemeral();
            _changed.Set();
            if (!Same(before, newer, "labels") || !Same(before, newer, "annotations"))
            {
                _refresh.Set();
            }
        }
    }

    /// <summary>An object that volumes show has changed.</summary>
    public void Refresh(ResourceKind kind, string name)
    {
        if (_preparation.Volumes.Shows(kind, name))
        {
            _refresh.Set();
        }
    }

    /// <summary>The object is gone: no more patience.</summary>
    public void Abandon()
    {
        _stop.Now();
        _stopping.Cancel();
    }

    /// <summary>Its node is gone: nothing of it goes on, and nobody is told.</summary>
    public void Vanish()
    {
        _vanished = true;
        _stop.Now();
        _stopping.Cancel();
    }

    /// <summary>Lives the pod's life; returns when nothing of it is left.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var publishing = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var alive = CancellationTokenSource.CreateLinkedTokenSource(ct, _stopping.Token);
        var publisher = Task.WhenAll(PublishAsync(publishing.Token), _events.RunAsync(publishing.Token));
        try
        {
            await Task.WhenAll(LiveAsync(alive.Token), KeepVolumesAsync(alive.Token), WatchDeadlineAsync(alive.Token));
            await Task.Delay(Timeout.InfiniteTimeSpan, _scene.Options.Time, alive.Token);
        }
        catch (OperationCanceledException)
        {
            // Its end was asked for, or the node's.
        }

        if (ct.IsCancellationRequested)
        {
            // Everything ends with the node's namespaces; the object stays and the pod starts anew next time.
            _stop.Now();
        }
        else if (!_vanished)
        {
            OnChanged();
            await _scene.WhenNotServedAsync(_spec.Namespace, Address.Length == 0 ? [] : _spec.AddressesOf(Address), _stop.Killed);
        }

        if (_vanished)
        {
            await publishing.CancelAsync();
        }

        _stop.Allow(_spec.Grace);
        await _stop.RunAsync();
        await publishing.CancelAsync();
        await publisher;
        await CloseAsync();
        if (!ct.IsCancellationRequested && !_vanished)
        {
            // Before the object: when that is gone, nothing of the pod is left.
            RemoveFolder();
            await _publisher.DeleteAsync(_spec, _stop.Killed, ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        foreach (var container in All())
        {
            container.Dispose();
        }

        _stop.Dispose();
    }

    private static bool Same(PodSpec before, PodSpec newer, string map) =>
        JsonNode.DeepEquals(before.Source.Find("metadata", map), newer.Source.Find("metadata", map));

    private Container Make(ContainerSpec spec) =>
        new(spec, _spec, ct => _preparation.PrepareAsync(spec, _sandbox, Containers, ct), _containerScene);

    private List<Container> All()
    {
        lock (_ephemeral)
        {
            return [.. _init, .. _containers, .. _ephemeral];
        }
    }

    private async Task LiveAsync(CancellationToken ct)
    {
        await SetUpAsync(ct);
        if (_containers.FirstOrDefault(c => c.Spec.IsProxy) is { } proxy)
        {
            _ = _stop.StartAsync(proxy, "Always", PodStop.Last);
            await _proxyReady.Task.WaitAsync(ct);
        }

        var applications = new List<Task>();
        if (await InitializeAsync(ct))
        {
            foreach (var container in _containers.Where(c => !c.Spec.IsProxy))
            {
                applications.Add(_stop.StartAsync(container, _spec.RestartPolicy, PodStop.First));
                await container.Begun.WaitAsync(ct);
            }

            StartEphemeral();
            if (applications.Count == 0)
            {
                return;
            }

            await Task.WhenAll(applications).WaitAsync(ct);
        }

        // The application has ended, or will never begin: what only runs beside it ends, too.
        _stop.Allow(_spec.Grace);
        await _stop.RunAsync();
        OnChanged();
    }

    /// <summary>Init containers one after the other; false when one has failed for good.</summary>
    private async Task<bool> InitializeAsync(CancellationToken ct)
    {
        for (var i = 0; i < _init.Count; i++)
        {
            var init = _init[i];
            if (init.Spec.IsSidecar)
            {
                // Sidecars end in the reverse order of their start.
                _ = _stop.StartAsync(init, "Always", PodStop.First + 1 + (_init.Count - i));
                await init.StartedUp.WaitAsync(ct);
            }
            else if (await _stop.StartAsync(init, _spec.RestartPolicy == "Never" ? "Never" : "OnFailure", PodStop.First).WaitAsync(ct) != 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Starts containers for debugging that have been added since.</summary>
    private void StartEphemeral()
    {
        if (_sandbox.Network is null || _stopping.IsCancellationRequested)
        {
            return;
        }

        lock (_ephemeral)
        {
            foreach (var spec in _spec.EphemeralContainers.Where(s => _ephemeral.TrueForAll(e => e.Spec.Name != s.Name)))
            {
                var container = Make(spec);
                _ephemeral.Add(container);
                _ = _stop.TryStart(container, "Never", PodStop.First);
            }
        }
    }

    private async Task WatchDeadlineAsync(CancellationToken ct)
    {
        if (_spec.Source.Number("spec", "activeDeadlineSeconds") is { } seconds)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(seconds, 1, 1_000_000)), _scene.Options.Time, ct);
            await EndAsync(new PodEnd("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"));
        }
    }

    private async Task EndAsync(PodEnd end)
    {
        if (_status.Compute(View(), _scene.Options.Time.GetUtcNow()).Text("status", "phase") is "Succeeded" or "Failed")
        {
            return;
        }

        _events.Warning(end.Reason, end.Message);
        _stop.Allow(_spec.Grace);
        await _stop.RunAsync();
        _end = end;
        OnChanged();
    }

    /// <summary>Keeps the volumes' files as their sources are, and looks after their limits.</summary>
    private async Task KeepVolumesAsync(CancellationToken ct)
    {
        var volumes = _preparation.Volumes;
        while (true)
        {
            var now = _scene.Options.Time.GetUtcNow();
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var asked = _refresh.WaitAsync(wait.Token);
            await Task.WhenAny(asked, Task.Delay(volumes.NextLook(now), _scene.Options.Time, wait.Token));
            var isAsked = asked.IsCompletedSuccessfully;
            await wait.CancelAsync();
            ct.ThrowIfCancellationRequested();
            if (volumes.FindFull() is { } full)
            {
                await EndAsync(new PodEnd("Evicted", full));
                return;
            }

            try
            {
                if (isAsked || volumes.Renew <= _scene.Options.Time.GetUtcNow())
                {
                    await volumes.RefreshAsync(_spec, Address, ct);
                }
            }
            catch (Exception e) when (e is ConfigException or KubernetesException or HttpRequestException or TimeoutException or IOException)
            {
                _events.Warning("FailedMount", $"MountVolume.SetUp failed: {e.Message}");
                await Task.Delay(_retry, _scene.Options.Time, ct);
            }
        }
    }

    private async Task SetUpAsync(CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            try
            {
                Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                await _sandbox.OpenAsync(_spec, _stopping.Token, ct);
                await PodFiles.WriteAsync(_spec, _folder, _sandbox.Network!.Addresses, ct);
                _preparation.Tell();
                _problem = "";
                OnChanged();
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _problem = e.Message;
                LogSetUp(_scene.Options.Log, _spec.Namespace, _spec.Name, e.Message);
                _events.Warning("FailedCreatePodSandBox", $"Failed to create pod sandbox: {e.Message}");
                OnChanged();
            }

            await Task.Delay(_retry, _scene.Options.Time, ct);
        }
    }

    private async Task CloseAsync()
    {
        await _preparation.Volumes.DisposeAsync();
        await _sandbox.DisposeAsync();
    }

    private void OnChanged()
    {
        if (_containers.Any(c => c.Spec.IsProxy && c.Snapshot.Ready))
        {
            _proxyReady.TrySetResult();
        }

        _changed.Set();
    }

    private PodView View()
    {
        lock (_ephemeral)
        {
            return new PodView(_spec.Source, Address, [.. _init.Select(c => c.Snapshot)], [.. _containers.Select(c => c.Snapshot)], _problem)
            {
                Ephemeral = [.. _ephemeral.Select(c => c.Snapshot)],
                Stopping = _stopping.IsCancellationRequested,
                End = _end,
            };
        }
    }

    /// <summary>Writes the status to the API whenever it has changed.</summary>
    private async Task PublishAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                if (await _publisher.PublishAsync(_spec, _status.Compute(View(), _scene.Options.Time.GetUtcNow()), ct))
                {
                    await _changed.WaitAsync(ct);
                }
                else
                {
                    await Task.Delay(_lookAgain, _scene.Options.Time, ct);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The pod is at its end.
        }
    }

    private void RemoveFolder()
    {
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogFolder(_scene.Options.Log, _folder, e.Message);
        }
    }

    [LoggerMessage(5410, LogLevel.Error, "{Namespace}/{Pod} could not be set up: {Reason}")]
    private static partial void LogSetUp(ILogger log, string @namespace, string pod, string reason);

    [LoggerMessage(5412, LogLevel.Warning, "The folder '{Folder}' could not be removed: {Reason}")]
    private static partial void LogFolder(ILogger log, string folder, string reason);
}
