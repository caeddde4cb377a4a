// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>
/// What a cluster's controller manager and scheduler do, for one machine: Deployments, ReplicaSets, endpoint slices, scheduling
/// and the Node object. (The API server itself makes service accounts and removes what lost its owner.)
/// </summary>
public sealed partial class WorkloadControllers
{
    // At a start the API server is not there for a moment, and every start waits for this.
    private static readonly InformerOptions _patience = new() { FirstDelay = TimeSpan.FromMilliseconds(20), MaxDelay = TimeSpan.FromMilliseconds(500) };

    private readonly ILogger _log;
    private readonly List<Informer> _informers;
    private readonly List<ControlLoop> _loops;
    private readonly ControlLoop _nodes;

    public WorkloadControllers(KubernetesClient client, TimeProvider clock, Random random, ILogger log)
    {
        _log = log;
        var deployments = new Informer(client, Kinds.Deployment, clock, _patience);
        var sets = new Informer(client, Kinds.ReplicaSet, clock, _patience);
        var pods = new Informer(client, Kinds.Pod, clock, _patience);
        var services = new Informer(client, Kinds.Service, clock, _patience);
        var slices = new Informer(client, Kinds.EndpointSlice, clock, _patience);
        var nodes = new Informer(client, Kinds.Node, clock, _patience);
        _informers = [deployments, sets, pods, services, slices, nodes];
        foreach (var informer in _informers)
        {
            informer.Failed += (error, delay) => LogInformer(_log, informer.Kind, delay.TotalMilliseconds, error.Message);
        }

        // A Random belongs to one loop.
        var deployment = Loop("deployments", new DeploymentController(client, Events(), clock).TurnAsync, deployments);
        var set = Loop("replicasets", new ReplicaSetController(client, Events(), clock, new Random(random.Next())).TurnAsync, sets);
        var slice = Loop("endpointslices", new EndpointSliceController(client, services, pods, slices).TurnAsync, services);
        var schedule = Loop("scheduler", new Scheduler(client, pods, nodes, Events(), clock).TurnAsync, pods);
        _nodes = Loop("nodes", new NodeRegistration(client, clock).TurnAsync, nodes);
        _loops = [deployment, set, slice, schedule, _nodes];

        deployments.Changed += change => deployment.Enqueue(ObjectKey.Of(change.Object));
        sets.Changed += change =>
        {
            set.Enqueue(ObjectKey.Of(change.Object));
            WakeOwner(change, Kinds.Deployment, deployment);
            WakeMatching(change.Object, deployments, deployment);
        };
        pods.Changed += change =>
        {
            schedule.Enqueue(ObjectKey.Of(change.Object));
            WakeOwner(change, Kinds.ReplicaSet, set);
            WakeMatching(change.Object, sets, set);
            WakeServices(change, services, slice);
        };
        services.Changed += change => slice.Enqueue(ObjectKey.Of(change.Object));
        slices.Changed += change => slice.Enqueue(new ObjectKey(change.Object.Namespace(), change.Object.Label(EndpointSliceController.ServiceLabel) ?? ""));
        nodes.Changed += change => WakeAfterNode(change, pods, schedule);

        EventLog Events() => new(client, clock, new Random(random.Next()), log);

        ControlLoop Loop(string name, Func<ObjectKey, CancellationToken, Task<TimeSpan?>> turn, Informer objects) =>
            new(name, turn, clock, new Random(random.Next()), log) { Everything = () => objects.Items.Select(ObjectKey.Of) };
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var tasks = _informers.Select(informer => informer.RunAsync(together.Token)).ToList();
        try
        {
            // A loop that starts on half a cache would undo what it does not see.
            await Task.WhenAll(_informers.Select(informer => informer.WhenSyncedAsync(together.Token)));
            _nodes.Enqueue(new ObjectKey("", NodeRegistration.NodeName));
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

    private static void WakeOwner(Change change, ResourceKind kind, ControlLoop loop)
    {
        foreach (var source in (ReadOnlySpan<JsonObject?>)[change.Object, change.Previous])
        {
            if (source is not null && Owners.KeyOf(source, kind) is { } owner)
            {
                loop.Enqueue(owner);
            }
        }
    }

    /// <summary>An orphan may be adopted by any owner that selects it.</summary>
    private static void WakeMatching(JsonObject orphan, Informer owners, ControlLoop loop)
    {
        if (Owners.ControllerOf(orphan) is not null)
        {
            return;
        }

        foreach (var owner in owners.Items)
        {
            if (owner.Namespace() == orphan.Namespace() && Selector.Parse(owner.Find("spec", "selector")) is { IsEmpty: false } selector && selector.Matches(orphan))
            {
                loop.Enqueue(ObjectKey.Of(owner));
            }
        }
    }

    private static void WakeServices(Change change, Informer services, ControlLoop loop)
    {
        foreach (var service in services.Items)
        {
            if (service.Namespace() != change.Object.Namespace())
            {
                continue;
            }

            var selector = Selector.FromMap(service.Find("spec", "selector"));
            if (!selector.IsEmpty && (selector.Matches(change.Object) || (change.Previous is { } previous && selector.Matches(previous))))
            {
                loop.Enqueue(ObjectKey.Of(service));
            }
        }
    }

    private void WakeAfterNode(Change change, Informer pods, ControlLoop schedule)
    {
        if (change.Type == ChangeType.Deleted)
        {
            _nodes.Enqueue(ObjectKey.Of(change.Object));
        }

        if (change.Type == ChangeType.Added || SafeNames.Canonical(change.Object.Find("metadata", "labels")) != SafeNames.Canonical(change.Previous.Find("metadata", "labels")))
        {
            foreach (var pod in pods.Items.Where(pod => !PodState.IsScheduled(pod)))
            {
                schedule.Enqueue(ObjectKey.Of(pod));
            }
        }
    }

    [LoggerMessage(5105, LogLevel.Debug, "Watching {Kind} failed, trying again in {Delay:0} ms. {Message}")]
    private static partial void LogInformer(ILogger log, ResourceKind kind, double delay, string message);
}
