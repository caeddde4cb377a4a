// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>What controllers stand on: one watch and one mirror a kind, a loop each, and the wires that wake loops.</summary>
internal sealed partial class ControllerHost(KubernetesClient client, TimeProvider clock, Random random, ILogger log)
{
    private readonly Dictionary<ResourceKind, Mirror> _mirrors = [];
    private readonly List<ControlLoop> _loops = [];

    public KubernetesClient Client { get; } = client;

    public TimeProvider Clock { get; } = clock;

    /// <summary>A Random belongs to one loop.</summary>
    public Random NewRandom() => new(random.Next());

    public Mirror Mirror(ResourceKind kind)
    {
        if (_mirrors.TryGetValue(kind, out var known))
        {
            return known;
        }

        // At a start the API server is not there for a moment, and every start waits for this.
        var patience = new InformerOptions { FirstDelay = TimeSpan.FromMilliseconds(20), MaxDelay = TimeSpan.FromMilliseconds(500), Jitter = NewRandom(), OptionalKind = true };
        var informer = new Informer(Client, kind, Clock, patience);
        informer.Failed += (error, delay) => LogInformer(log, kind, delay.TotalMilliseconds, error.Message);
        return _mirrors[kind] = new Mirror(Client, informer);
    }

    public Informer Informer(ResourceKind kind) => Mirror(kind).Watched;

    public EventLog Events(string component) => new(Client, Clock, NewRandom(), log, component);

    /// <summary>A loop over the objects of a kind, woken by each change of one, or by those that matter.</summary>
    public ControlLoop Loop(
        string name, ResourceKind kind, Func<ObjectKey, CancellationToken, Task<TimeSpan?>> turn, Func<Change, bool>? matters = null)
    {
        var objects = Informer(kind);
        var loop = new ControlLoop(name, turn, Clock, NewRandom(), log) { Everything = () => objects.Items.Select(ObjectKey.Of) };
        objects.Changed += change =>
        {
            if (matters?.Invoke(change) != false)
            {
                loop.Enqueue(ObjectKey.Of(change.Object));
            }
        };
        _loops.Add(loop);
        return loop;
    }

    /// <summary>Wakes the loop of an owner when one of its objects changes, and every owner that selects an orphan.</summary>
    public void WakeOwners(ControlLoop loop, ResourceKind owner, ResourceKind owned)
    {
        var owners = Informer(owner);
        Informer(owned).Changed += change =>
        {
            foreach (var source in (ReadOnlySpan<JsonObject?>)[change.Object, change.Previous])
            {
                if (source is not null && Owners.KeyOf(source, owner) is { } key)
                {
                    loop.Enqueue(key);
                }
            }

            if (Owners.ControllerOf(change.Object) is null && change.Type != ChangeType.Deleted)
            {
                WakeSelecting(loop, owners, Selectors.Of, change);
            }
        };
    }

    /// <summary>Wakes the loop of every object whose selector a changed object meets, or met before.</summary>
    public void WakeSelecting(ControlLoop loop, ResourceKind selecting, ResourceKind selected)
    {
        var objects = Informer(selecting);
        Informer(selected).Changed += change => WakeSelecting(loop, objects, Selectors.Of, change);
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var informers = _mirrors.Values.Select(mirror => mirror.Watched).ToList();
        var tasks = informers.Select(informer => informer.RunAsync(together.Token)).ToList();
        try
        {
            // A loop that starts on half a cache would undo what it does not see.
            await Task.WhenAll(informers.Select(informer => informer.WhenSyncedAsync(together.Token)));
            tasks.AddRange(_loops.Select(loop => loop.RunAsync(together.Token)));
            // All run until cancelled: the first that ends otherwise has failed, and takes the others with it.
            await await Task.WhenAny(tasks);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The normal end.
        }
        finally
        {
            await together.CancelAsync();
            await Task.WhenAll(tasks);
        }
    }

    private static void WakeSelecting(ControlLoop loop, Informer selecting, Func<JsonObject, Selector> selectorOf, Change change)
    {
        foreach (var item in selecting.Items)
        {
            if (item.Namespace() == change.Object.Namespace() && selectorOf(item) is { IsEmpty: false } selector
                && (selector.Matches(change.Object) || (change.Previous is { } previous && selector.Matches(previous))))
            {
                loop.Enqueue(ObjectKey.Of(item));
            }
        }
    }

    [LoggerMessage(5105, LogLevel.Debug, "Watching {Kind} failed, trying again in {Delay:0} ms. {Message}")]
    private static partial void LogInformer(ILogger log, ResourceKind kind, double delay, string message);
}
