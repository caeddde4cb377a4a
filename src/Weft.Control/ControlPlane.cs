// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Weft.Control.Authority;
using Weft.Control.Registry;
using Weft.Control.Serving;
using Weft.Control.Sources;
using Weft.Control.Status;
using Weft.Kubernetes;

namespace Weft.Control;

/// <summary>
/// The control plane: follows the API, compiles, serves proxies and people.
/// <code>
/// API ── informers ──▶ ApiSources ──▶ PlanLoop ──▶ ProxyStream ──▶ proxy      (1) change (2) last good, world (3) plan (4) delta
///                                       │  MeshState ─ WorldRegistry
///                                       └─ PlanCompiler, PlanEncoder
/// </code>
/// </summary>
public sealed partial class ControlPlane : IAsyncDisposable
{
    private readonly ControlOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _logs;
    private readonly ILogger<ControlPlane> _log;
    private readonly KubernetesClient _client;
    private readonly CertificateAuthority _authority;
    private readonly Counters _counters = new();
    private readonly TaskCompletionSource _serving = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Opens the root, or makes it at the very first start; nothing runs before <see cref="RunAsync"/>.</summary>
    public ControlPlane(ControlOptions options, TimeProvider time, ILoggerFactory logs)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logs);
        (_options, _time, _logs) = (options, time, logs);
        _log = logs.CreateLogger<ControlPlane>();
        _client = new KubernetesClient(options.ApiEndpoint);
        var root = RootAuthority.Open(Path.Combine(options.DataFolder, "ca"), options.Settings.TrustDomain, options.Authority, time);
        _authority = new CertificateAuthority(root, options.Authority, time, logs.CreateLogger<CertificateAuthority>());
    }

    /// <summary>Done when both sockets listen and the API has been read once.</summary>
    public Task WhenReadyAsync(CancellationToken cancellation) => _serving.Task.WaitAsync(cancellation);

    /// <summary>Runs until cancelled. If a part fails, everything stops and the failure is thrown: half a control plane helps nobody.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var sources = new ApiSources(_client, _time, _logs.CreateLogger<ApiSources>());
        var state = new MeshState(_options.Settings);
        var proxies = new ProxyTable(_options.Serving.MaxStreams);
        var rights = new SecretRights(_client, _time, _logs.CreateLogger<SecretRights>());
        var loop = new PlanLoop(sources, state, proxies, rights, _options, _time, _logs.CreateLogger<PlanLoop>());
        var publisher = new RootPublisher(_client, _authority.RootPem, _time, _logs.CreateLogger<RootPublisher>());
        sources.Of(Kinds.Namespace).Changed += change => PublishRoot(publisher, change);
        var published = new Informer(_client, Kinds.ConfigMap, _time, new InformerOptions { LabelSelector = RootPublisher.LabelSelector });
        published.Changed += publisher.Repair;
        var machines = new MachineRegistrations(
            _client, sources.Of(Kinds.WorkloadEntry), _options.Serving, _time, _logs.CreateLogger<MachineRegistrations>());
        var calls = new ProxyCalls(
            new TokenAuthenticator(_client, _options.Settings.TrustDomain, _time),
            _authority,
            proxies,
            rights,
            (ns, pod) => sources.Of(Kinds.Pod).Find(ns, pod)?.Text("spec", "serviceAccountName"),
            machines,
            _counters,
            _options.Serving,
            _time,
            _logs.CreateLogger<ProxyCalls>(),
            stop.Token);
        var status = new StatusWriter(
            _client, sources, state.Objects, (proxies, loop), _options, (_time, _logs.CreateLogger<StatusWriter>()));
        var addresses = new EntryAddresses(_client, sources.Of(Kinds.ServiceEntry), _time, _logs.CreateLogger<EntryAddresses>());
        var debug = new DebugCalls(sources, state, proxies, loop, _counters, _authority, _options, _time);
        await using var xds = await UnixServer.StartAsync(
            _options.XdsSocket, HttpProtocols.Http2, _options.Serving, _logs, calls.ServeAsync);
        await using var control = await UnixServer.StartAsync(
            _options.ControlSocket, HttpProtocols.Http1, _options.Serving, _logs, debug.ServeAsync);
        LogServing(_options.XdsSocket, _options.ControlSocket);
        Task[] parts =
        [
            sources.RunAsync(stop.Token), published.RunAsync(stop.Token), loop.RunAsync(stop.Token), publisher.RunAsync(stop.Token),
            status.RunAsync(stop.Token), addresses.RunAsync(stop.Token), machines.RunAsync(stop.Token), rights.RunAsync(stop.Token), ReadyAsync(sources, stop.Token),
        ];
        await RunPartsAsync(parts, stop, cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _authority.Dispose();
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task RunPartsAsync(Task[] parts, CancellationTokenSource stop, CancellationToken cancellation)
    {
        // The last part ends when the API has been read; the others end only by failing or by being stopped.
        var running = parts.ToList();
        while (running.Count > 0)
        {
            var ended = await Task.WhenAny(running);
            running.Remove(ended);
            if (!ended.IsCompletedSuccessfully)
            {
                break;
            }
        }

        await stop.CancelAsync();
        try
        {
            await Task.WhenAll(parts);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The orderly end.
        }
    }

    private static void PublishRoot(RootPublisher publisher, Change change)
    {
        if (change.Type != ChangeType.Deleted && change.Object.Text("metadata", "deletionTimestamp") is null)
        {
            publisher.Publish(change.Object.Name());
        }
    }

    private async Task ReadyAsync(ApiSources sources, CancellationToken cancellation)
    {
        await sources.WhenSyncedAsync(cancellation);
        _serving.TrySetResult();
        LogReady();
    }

    [LoggerMessage(1, LogLevel.Information, "Serving proxies on '{Xds}' and people on '{Control}'.")]
    private partial void LogServing(string xds, string control);

    [LoggerMessage(2, LogLevel.Information, "The API has been read; plans are being served.")]
    private partial void LogReady();
}
