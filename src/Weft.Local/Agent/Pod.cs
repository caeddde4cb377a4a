// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Capture;
using Weft.Local.Controllers;
using Weft.Local.Network;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>
/// One pod from its first sight to its end: network, capture, init containers, sidecar, application; its status; its removal.
/// Capture is in force before the first process starts, and the application starts when the sidecar is ready.
/// </summary>
internal sealed partial class Pod : IAsyncDisposable
{
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(500);

    private readonly PodScene _scene;
    private readonly string _folder;
    private readonly ContainerEnvironment _environment;
    private readonly PodFiles _files;
    private readonly ProxyFiles _proxyFiles;
    private readonly PodStatus _status;
    private readonly PodEvents _events;
    private readonly List<Container> _init;
    private readonly List<Container> _containers;
    private readonly List<(Container Container, Task Running)> _running = [];
    private readonly Signal _changed = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _killing = new();
    private readonly TaskCompletionSource _proxyReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PodSpec _spec;
    private IPAddress? _address;
    private PodNetwork? _network;
    private string _problem = "";
    private JsonObject? _published;
    private volatile bool _vanished;

    /// <param name="random">For this pod alone.</param>
    public Pod(PodSpec spec, PodScene scene, Random random)
    {
        _spec = spec;
        _scene = scene;
        _folder = Path.Combine(scene.Options.Home.Pods, spec.Uid);
        _environment = new ContainerEnvironment(scene.Client, scene.Options.BinFolder);
        _files = new PodFiles(spec, _folder, _environment);
        _proxyFiles = new ProxyFiles(spec, _folder, scene.Client, scene.Options);
        _status = new PodStatus(spec, scene.Options.Time.GetUtcNow());
        _events = new PodEvents(spec, new EventLog(scene.Client, scene.Options.Time, random, scene.Options.Log, PodEvents.Component));
        var containerScene = new ContainerScene(_folder, scene.Options.Time, scene.Options.Log, _events, OnChanged);
        _init = [.. spec.InitContainers.Select(c => new Container(c, spec, ct => PrepareAsync(c, ct), containerScene))];
        _containers = [.. spec.Containers.Select(c => new Container(c, spec, ct => PrepareAsync(c, ct), containerScene))];
    }

    public PodSpec Spec => _spec;

    public string Address => _network?.Address.ToString() ?? "";

    /// <summary>By which others enter its network; throws <see cref="InvalidOperationException"/> when it has none.</summary>
    public string NamespaceFile => _network?.NamespaceFile ?? throw new InvalidOperationException($"Pod '{_spec}' has no network.");

    /// <summary>All containers at this moment, init containers first.</summary>
    public IReadOnlyList<ContainerSnapshot> Containers => [.. _init.Concat(_containers).Select(c => c.Snapshot)];

    public string LogFolder(string container) => Path.Combine(_folder, container);

    /// <summary>Takes in a newer version of the object: its end may have been asked for.</summary>
    public void Update(PodSpec newer)
    {
        _spec = newer;
        if (newer.IsDeleting)
        {
            _stopping.Cancel();
        }
    }

    /// <summary>The object is gone: no more patience.</summary>
    public void Abandon()
    {
        _killing.Cancel();
        _stopping.Cancel();
    }

    /// <summary>Its node is gone: nothing of it goes on, and nobody is told.</summary>
    public void Vanish()
    {
        _vanished = true;
        _killing.Cancel();
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
            await LiveAsync(alive.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, _scene.Options.Time, alive.Token);
        }
        catch (OperationCanceledException)
        {
            // Its end was asked for, or the node's.
        }

        if (ct.IsCancellationRequested)
        {
            // Everything ends with the node's namespaces; the object stays and the pod starts anew next time.
            await _killing.CancelAsync();
        }

        if (_vanished)
        {
            await publishing.CancelAsync();
        }

        await StopContainersAsync();
        await publishing.CancelAsync();
        await publisher;
        await CloseNetworkAsync();
        if (!ct.IsCancellationRequested && !_vanished)
        {
            // Before the object: when that is gone, nothing of the pod is left.
            RemoveFolder();
            await DeleteObjectAsync(ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseNetworkAsync();
        foreach (var container in _init.Concat(_containers))
        {
            container.Dispose();
        }
    }

    private async Task LiveAsync(CancellationToken ct)
    {
        await SetUpAsync(ct);
        foreach (var init in _init)
        {
            await RunInitAsync(init, ct);
        }

        var proxy = _containers.FirstOrDefault(c => c.Spec.IsProxy);
        if (proxy is not null)
        {
            Start(proxy, "Always");
            await _proxyReady.Task.WaitAsync(ct);
        }

        foreach (var container in _containers.Where(c => c != proxy))
        {
            Start(container, _spec.RestartPolicy);
        }

        if (proxy is not null)
        {
            await EndWithApplicationAsync(proxy, ct);
        }
    }

    /// <summary>A job's sidecar ends when its application has.</summary>
    private async Task EndWithApplicationAsync(Container proxy, CancellationToken ct)
    {
        Task[] applications;
        Task proxyTask;
        lock (_running)
        {
            applications = [.. _running.Where(r => r.Container != proxy).Select(r => r.Running)];
            proxyTask = _running.First(r => r.Container == proxy).Running;
        }

        if (applications.Length > 0)
        {
            await Task.WhenAll(applications).WaitAsync(ct);
            await proxy.StopAsync(_spec.Grace, proxyTask);
        }
    }

    private async Task RunInitAsync(Container init, CancellationToken ct)
    {
        var running = init.RunAsync(_spec.RestartPolicy == "Never" ? "Never" : "OnFailure", _killing.Token);
        lock (_running)
        {
            _running.Add((init, running));
        }

        if (await running.WaitAsync(ct) != 0)
        {
            // With restart policy Never the pod has failed for good; it stays so until it is deleted.
            await Task.Delay(Timeout.InfiniteTimeSpan, _scene.Options.Time, ct);
        }
    }

    private void Start(Container container, string restartPolicy)
    {
        lock (_running)
        {
            _running.Add((container, container.RunAsync(restartPolicy, _killing.Token)));
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
                var capture = _spec is { IsMeshed: true, IsGateway: false } ? CaptureSettings.Parse(_spec.Source) : null;
                _address ??= _scene.Addresses.Rent();
                _network ??= await PodNetwork.OpenAsync(_address, _scene.Node, ct);
                if (capture is not null)
                {
                    await _scene.Capture.ApplyAsync(_network, capture, ct);
                }

                if (_spec.IsMeshed)
                {
                    var expires = await _proxyFiles.WriteAsync(Address, ct);
                    _ = KeepTokenAsync(expires);
                }

                await _files.WriteAsync(_network.Address, ct);
                _problem = "";
                OnChanged();
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _problem = e.Message;
                LogSetUp(_scene.Options.Log, _spec.Namespace, _spec.Name, e.Message);
                _events.Warning("FailedCreatePodSandBox", e.Message);
                OnChanged();
            }

            await Task.Delay(_retry, _scene.Options.Time, ct);
        }
    }

    private async Task KeepTokenAsync(DateTimeOffset expires)
    {
        try
        {
            await _proxyFiles.RenewAsync(expires, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The pod ends; nobody needs its token.
        }
    }

    private async Task<ContainerStart> PrepareAsync(ContainerSpec container, CancellationToken ct)
    {
        IReadOnlyList<string>? words;
        try
        {
            words = ImageTable.Read(_scene.Options.Home.Images).Find(container);
        }
        catch (FormatException e)
        {
            throw new MissingCommandException(e.Message);
        }

        if (words is null)
        {
            throw new MissingCommandException(
                $"No command of this machine is known for image '{container.Image}'. Give container '{container.Name}' a 'command', "
                + $"or add a line '{container.Image}: COMMAND' to {_scene.Options.Home.Images}");
        }

        var variables = await _environment.ResolveAsync(_spec, container, Address, ct);
        words = [.. words.Select(word => ContainerEnvironment.Expand(word, variables))];
        if (container.IsProxy)
        {
            if (!File.Exists(Path.Combine(_scene.Options.BinFolder, "weft-proxy")))
            {
                throw new ConfigException(
                    $"The program 'weft-proxy' is not in '{_scene.Options.BinFolder}' (WEFT_BIN). Build it: ./dev build");
            }

            words = [.. words, "--bootstrap", _proxyFiles.BootstrapFile];
        }

        var user = container.Source.Number("securityContext", "runAsUser") ?? _spec.Source.Number("spec", "securityContext", "runAsUser");
        return new ContainerStart(
            container.Name,
            _network!,
            _spec.HostName,
            _folder,
            words,
            variables,
            container.WorkingFolder,
            await _files.PrepareVolumesAsync(container, Address, ct),
            container.IsProxy ? null : Capabilities(container),
            _scene.HasManyUsers ? user : null);
    }

    /// <summary>Capabilities asked for in the spec, in setpriv's form; names that no kernel has are left out.</summary>
    private static string Capabilities(ContainerSpec container) => string.Concat(container.AddedCapabilities
        .Select(name => name.ToLowerInvariant())
        .Select(name => name.StartsWith("cap_", StringComparison.Ordinal) ? name[4..] : name)
        .Where(name => name.Length is > 2 and < 30 && name.All(c => char.IsAsciiLetterLower(c) || c == '_'))
        .Select(name => $",+{name}"));

    /// <summary>The application first: while it finishes its work, its sidecar must still carry its traffic.</summary>
    private async Task StopContainersAsync()
    {
        (Container Container, Task Running)[] all;
        lock (_running)
        {
            all = [.. _running];
        }

        var began = _scene.Options.Time.GetTimestamp();
        foreach (var group in new[] { all.Where(r => !r.Container.Spec.IsProxy), all.Where(r => r.Container.Spec.IsProxy) })
        {
            var left = _killing.IsCancellationRequested ? TimeSpan.Zero : _spec.Grace - _scene.Options.Time.GetElapsedTime(began);
            var patience = left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);
            await Task.WhenAll(group.Select(r => r.Container.StopAsync(patience, r.Running)));
        }
    }

    private async Task CloseNetworkAsync()
    {
        if (_network is { } network)
        {
            _network = null;
            await network.DisposeAsync();
        }

        if (_address is { } address)
        {
            _address = null;
            _scene.Addresses.Return(address);
        }
    }

    private void OnChanged()
    {
        if (_containers.Any(c => c.Spec.IsProxy && c.Snapshot.Ready))
        {
            _proxyReady.TrySetResult();
        }

        _changed.Set();
    }

    /// <summary>Writes the status to the API whenever it has changed.</summary>
    private async Task PublishAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                var status = _status.Compute(
                    Address,
                    [.. _init.Select(c => c.Snapshot)],
                    [.. _containers.Select(c => c.Snapshot)],
                    _stopping.IsCancellationRequested,
                    _problem,
                    _scene.Options.Time.GetUtcNow());
                if (!JsonNode.DeepEquals(status, _published) && await TryPublishAsync(status, ct))
                {
                    _published = status;
                }

                if (ReferenceEquals(status, _published) || JsonNode.DeepEquals(status, _published))
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

    private async Task<bool> TryPublishAsync(JsonObject status, CancellationToken ct)
    {
        try
        {
            await _scene.Client.PatchStatusAsync(Kinds.Pod, _spec.Namespace, _spec.Name, status, ct);
            return true;
        }
        catch (KubernetesException e) when (e.IsNotFound)
        {
            return true;
        }
        catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
        {
            LogPublish(_scene.Options.Log, _spec.Namespace, _spec.Name, e.Message);
            return false;
        }
    }

    private async Task DeleteObjectAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested && !_killing.IsCancellationRequested)
        {
            try
            {
                await _scene.Client.DeleteNowAsync(Kinds.Pod, _spec.Namespace, _spec.Name, _spec.Uid, ct);
                return;
            }
            catch (KubernetesException e) when (e.IsNotFound || e.IsConflict)
            {
                // Gone already, or another pod has the name by now.
                return;
            }
            catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException)
            {
                LogPublish(_scene.Options.Log, _spec.Namespace, _spec.Name, e.Message);
                await Task.Delay(_lookAgain, _scene.Options.Time, ct);
            }
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

    [LoggerMessage(5411, LogLevel.Warning, "{Namespace}/{Pod}: the API did not take its status: {Reason}")]
    private static partial void LogPublish(ILogger log, string @namespace, string pod, string reason);

    [LoggerMessage(5412, LogLevel.Warning, "The folder '{Folder}' could not be removed: {Reason}")]
    private static partial void LogFolder(ILogger log, string folder, string reason);
}

/// <summary>What a node gives its pods.</summary>
/// <param name="HasManyUsers">False when the node has one user id only (started by an ordinary user).</param>
internal sealed record PodScene(
    KubernetesClient Client, LocalNodeOptions Options, NodePlace Node, AddressPool Addresses, ITrafficCapture Capture, bool HasManyUsers);
