// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Dialects.Kubernetes;
using Weft.Kubernetes;
using Weft.Model.World;

namespace Weft.Control.Sources;

/// <summary>Follows every kind that means something to the mesh, and hands the changes of all of them to one reader in turn.</summary>
public sealed partial class ApiSources
{
    private static readonly ResourceKind[] _core = [Kinds.Namespace, Kinds.Service, Kinds.Pod, Kinds.EndpointSlice];

    // Kinds that an API may lack. Without nodes the pods' own labels say where they run.
    private static readonly ResourceKind[] _optional =
    [
        Kinds.Node, Kinds.Secret,
        Kinds.VirtualService, Kinds.DestinationRule, Kinds.PeerAuthentication, Kinds.Gateway, Kinds.ServiceEntry, Kinds.Sidecar,
        Kinds.EnvoyFilter, Kinds.WorkloadEntry, Kinds.WorkloadGroup, Kinds.AuthorizationPolicy, Kinds.RequestAuthentication,
        Kinds.WasmPlugin,
    ];

    // Unbounded, but an object waits in it at most as often as the API has changed it, and reading is only parsing.
    private readonly Channel<SourceChange> _changes = Channel.CreateUnbounded<SourceChange>(new() { SingleReader = true });
    private readonly ILogger<ApiSources> _log;

    public ApiSources(KubernetesClient client, TimeProvider time, ILogger<ApiSources> log)
    {
        _log = log;
        Informers =
        [
            .. _core.Select(kind => Follow(client, kind, time, new InformerOptions())),
            .. _optional.Select(kind => Follow(client, kind, time, new InformerOptions { OptionalKind = true })),
            Follow(client, Kinds.ConfigMap, time, new InformerOptions { Namespace = MeshSettings.Default.RootNamespace }, HoldsMesh),
        ];
    }

    public IReadOnlyList<Informer> Informers { get; }

    /// <summary>Changes of all kinds, each kind's in order.</summary>
    public ChannelReader<SourceChange> Changes => _changes.Reader;

    public bool HasSynced => Informers.All(informer => informer.HasSynced);

    public Informer Of(ResourceKind kind) => Informers.First(informer => informer.Kind == kind);

    public Task WhenSyncedAsync(CancellationToken cancellation) =>
        Task.WhenAll(Informers.Select(informer => informer.WhenSyncedAsync(cancellation)));

    public Task RunAsync(CancellationToken cancellation) =>
        Task.WhenAll(Informers.Select(informer => informer.RunAsync(cancellation)));

    /// <summary>Other ConfigMaps mean nothing to the mesh.</summary>
    private static bool HoldsMesh(Change change) => ConfigMapKind.HoldsMesh(change.Object.Namespace(), change.Object.Name());

    private Informer Follow(KubernetesClient client, ResourceKind kind, TimeProvider time, InformerOptions options, Predicate<Change>? matters = null)
    {
        var informer = new Informer(client, kind, time, options);
        informer.Changed += change => _ = (matters?.Invoke(change) ?? true) && _changes.Writer.TryWrite(new SourceChange(kind, change));
        informer.Failed += (error, delay) => LogFailed(kind.Plural, error.Message, delay);
        return informer;
    }

    [LoggerMessage(2001, LogLevel.Warning, "Failed to follow '{Plural}': {Reason} Trying again in {Delay}.")]
    private partial void LogFailed(string plural, string reason, TimeSpan delay);
}

/// <summary>A change and the kind of its object.</summary>
public sealed record SourceChange(ResourceKind Kind, Change Change);
