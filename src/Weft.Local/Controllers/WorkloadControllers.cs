// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers.Deployments;
using Weft.Local.Controllers.Disruption;
using Weft.Local.Controllers.Endpoints;
using Weft.Local.Controllers.Gateways;
using Weft.Local.Controllers.Jobs;
using Weft.Local.Controllers.Nodes;
using Weft.Local.Controllers.Scaling;
using Weft.Local.Controllers.Scheduling;
using Weft.Local.Controllers.Sets;
using Weft.Local.Controllers.Storage;

namespace Weft.Local.Controllers;

/// <summary>
/// What a cluster's controller manager and scheduler do, for one machine: workloads, endpoint slices, scheduling and nodes.
/// (The API server itself makes service accounts and removes what lost its owner.)
/// </summary>
public sealed class WorkloadControllers
{
    private readonly ControllerOptions _options;
    private readonly ControllerHost _host;
    private readonly ControlLoop _classes;
    private ControlLoop _collector = null!;

    public WorkloadControllers(KubernetesClient client, ControllerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _host = new ControllerHost(client, options.Time, options.Random, options.Log);
        AddDeployments();
        AddSets();
        AddJobs();
        _classes = AddStorage();
        AddServices();
        AddGateways();
        AddBudgets();
        AddNodes();
    }

    /// <summary>Runs until cancelled.</summary>
    public Task RunAsync(CancellationToken ct)
    {
        _collector.Enqueue(new ObjectKey("", ""));
        _classes.Enqueue(new ObjectKey("", StandardClass.Name));
        return _host.RunAsync(ct);
    }

    private void AddDeployments()
    {
        Mirror deployments = _host.Mirror(Kinds.Deployment), sets = _host.Mirror(Kinds.ReplicaSet), pods = _host.Mirror(Kinds.Pod);
        var deployment = _host.Loop(
            "deployments",
            Kinds.Deployment,
            new DeploymentController(deployments, sets, pods, _host.Events("deployment-controller"), _host.Clock).TurnAsync);
        _host.WakeOwners(deployment, Kinds.Deployment, Kinds.ReplicaSet);
        // Recreate waits until the last old pod is gone, which its ReplicaSet does not count any more.
        pods.Watched.Changed += change =>
        {
            if (change.Type == ChangeType.Deleted && Owners.KeyOf(change.Object, Kinds.ReplicaSet) is { } key
                && sets.Find(key) is { } set && Owners.KeyOf(set, Kinds.Deployment) is { } owner)
            {
                deployment.Enqueue(owner);
            }
        };

        foreach (var kind in (ReadOnlySpan<ResourceKind>)[Kinds.ReplicaSet, Kinds.ReplicationController])
        {
            var name = kind == Kinds.ReplicaSet ? "replicaset-controller" : "replication-controller";
            var loop = _host.Loop(kind.Plural, kind, new ReplicaSetController(_host.Mirror(kind), Pods(name), _host.Clock).TurnAsync);
            _host.WakeOwners(loop, kind, Kinds.Pod);
        }
    }

    private void AddSets()
    {
        Mirror pods = _host.Mirror(Kinds.Pod), revisions = _host.Mirror(Kinds.ControllerRevision);
        var stateful = _host.Loop("statefulsets", Kinds.StatefulSet, new StatefulSetController(
            _host.Mirror(Kinds.StatefulSet), pods, _host.Mirror(Kinds.PersistentVolumeClaim), revisions,
            Pods("statefulset-controller"), _host.Events("statefulset-controller"))
        { Clock = _host.Clock }.TurnAsync);
        _host.WakeOwners(stateful, Kinds.StatefulSet, Kinds.Pod);

        var nodes = _host.Informer(Kinds.Node);
        var daemon = _host.Loop("daemonsets", Kinds.DaemonSet, new DaemonSetController(
            _host.Mirror(Kinds.DaemonSet), pods, nodes, revisions, Pods("daemonset-controller"), _host.Events("daemonset-controller"))
        { Clock = _host.Clock }.TurnAsync);
        _host.WakeOwners(daemon, Kinds.DaemonSet, Kinds.Pod);
        var sets = _host.Informer(Kinds.DaemonSet);
        nodes.Changed += change =>
        {
            if (Placement(change.Object) != Placement(change.Previous) || change.Type == ChangeType.Deleted)
            {
                EnqueueAll(sets, daemon);
            }
        };
    }

    private void AddJobs()
    {
        Mirror jobs = _host.Mirror(Kinds.Job), pods = _host.Mirror(Kinds.Pod), crons = _host.Mirror(Kinds.CronJob);
        var controller = new JobController(jobs, pods, Pods("job-controller"), _host.Events("job-controller"), _host.Clock);
        var job = _host.Loop("jobs", Kinds.Job, controller.TurnAsync);
        _host.WakeOwners(job, Kinds.Job, Kinds.Pod);
        var orphan = _host.Loop(
            "pods of jobs", Kinds.Pod, controller.ReleaseOrphanAsync, change => change.Type != ChangeType.Deleted && JobPods.IsTracked(change.Object));
        jobs.Watched.Changed += change =>
        {
            if (change.Type == ChangeType.Deleted || Owners.IsBeingDeleted(change.Object))
            {
                foreach (var pod in pods.Watched.Items.Where(pod => Owners.Owns(change.Object, pod)))
                {
                    orphan.Enqueue(ObjectKey.Of(pod));
                }
            }
        };

        var cron = _host.Loop("cronjobs", Kinds.CronJob, new CronJobController(crons, jobs, _host.Events("cronjob-controller"), _host.Clock).TurnAsync);
        _host.WakeOwners(cron, Kinds.CronJob, Kinds.Job);
    }

    private ControlLoop AddStorage()
    {
        Mirror claims = _host.Mirror(Kinds.PersistentVolumeClaim), volumes = _host.Mirror(Kinds.PersistentVolume);
        var classes = _host.Mirror(Kinds.StorageClass);
        var pods = _host.Informer(Kinds.Pod);
        var claim = _host.Loop(
            "claims",
            Kinds.PersistentVolumeClaim,
            new ClaimController(claims, volumes, classes, pods, _host.Events("persistentvolume-controller"), _options.Volumes).TurnAsync);
        var volume = _host.Loop("volumes", Kinds.PersistentVolume, new VolumeController(volumes, claims, _options.Volumes).TurnAsync);
        volumes.Watched.Changed += _ => EnqueueAll(claims.Watched, claim);
        classes.Watched.Changed += _ => EnqueueAll(claims.Watched, claim);
        claims.Watched.Changed += change =>
        {
            if (change.Type == ChangeType.Deleted)
            {
                EnqueueAll(volumes.Watched, volume);
            }
        };
        pods.Changed += change =>
        {
            foreach (var name in change.Type == ChangeType.Deleted || PodState.HasEnded(change.Object) ? ClaimsOf(change.Object) : [])
            {
                claim.Enqueue(new ObjectKey(change.Object.Namespace(), name));
            }
        };

        return _host.Loop("storage classes", Kinds.StorageClass, new StandardClass(classes).TurnAsync, change => change.Type == ChangeType.Deleted);

        static IEnumerable<string> ClaimsOf(JsonObject pod) =>
            pod.Objects("spec", "volumes").Select(volume => volume.Text("persistentVolumeClaim", "claimName")).OfType<string>();
    }

    private void AddServices()
    {
        Informer services = _host.Informer(Kinds.Service), slices = _host.Informer(Kinds.EndpointSlice);
        var slice = _host.Loop(
            "endpointslices",
            Kinds.Service,
            new EndpointSliceController(_host.Client, services, _host.Informer(Kinds.Pod), slices).TurnAsync);
        _host.WakeSelecting(slice, Kinds.Service, Kinds.Pod);
        slices.Changed += change => slice.Enqueue(new ObjectKey(change.Object.Namespace(), change.Object.Label(EndpointSliceController.ServiceLabel) ?? ""));
        var endpoints = _host.Mirror(Kinds.Endpoints);
        var legacy = _host.Loop(
            "endpoints",
            Kinds.Service,
            new EndpointsController(_host.Mirror(Kinds.Service), _host.Informer(Kinds.Pod), endpoints, _host.Mirror(Kinds.EndpointSlice)).TurnAsync);
        _host.WakeSelecting(legacy, Kinds.Service, Kinds.Pod);
        endpoints.Watched.Changed += change => legacy.Enqueue(ObjectKey.Of(change.Object));
    }

    private void AddGateways()
    {
        var gateways = _host.Mirror(Kinds.Gateway);
        Mirror[] workloads = [.. new[] { Kinds.Pod, Kinds.Deployment, Kinds.DaemonSet, Kinds.StatefulSet }.Select(_host.Mirror)];
        var gateway = _host.Loop("gateways", Kinds.Gateway, new GatewayController(
            _host.Client, gateways, workloads, _host.Events("gateway-controller"), _host.Clock).TurnAsync);
        foreach (var workload in workloads)
        {
            workload.Watched.Changed += change =>
            {
                if (change.Type == ChangeType.Deleted)
                {
                    EnqueueAll(gateways.Watched, gateway);
                }
            };
        }
    }

    private void AddBudgets()
    {
        var pods = _host.Informer(Kinds.Pod);
        ResourceKind[] scaled = [Kinds.Deployment, Kinds.ReplicaSet, Kinds.StatefulSet, Kinds.ReplicationController];
        var budgets = _host.Mirror(Kinds.PodDisruptionBudget);
        var budget = _host.Loop(
            "disruption budgets",
            Kinds.PodDisruptionBudget,
            new BudgetController(budgets, pods, _host.Events("controllermanager"), _host.Clock)
            {
                Scaled = scaled.ToDictionary(kind => kind.Kind, _host.Informer, StringComparer.Ordinal),
            }.TurnAsync);
        pods.Changed += change =>
        {
            foreach (var item in budgets.Watched.Items.Where(item => item.Namespace() == change.Object.Namespace() && BudgetPlan.Means(item, change.Object)))
            {
                budget.Enqueue(ObjectKey.Of(item));
            }
        };
        foreach (var kind in scaled)
        {
            _host.Informer(kind).Changed += change =>
            {
                foreach (var item in budgets.Watched.Items.Where(item => item.Namespace() == change.Object.Namespace()))
                {
                    budget.Enqueue(ObjectKey.Of(item));
                }
            };
        }

        var reader = new MetricReader(_options.Metrics);
        _host.Loop("autoscalers", Kinds.HorizontalPodAutoscaler, new AutoscalerController(
            _host.Mirror(Kinds.HorizontalPodAutoscaler), pods, reader, _host.Events("horizontal-pod-autoscaler"), _host.Clock)
        {
            Targets = scaled.ToDictionary(kind => kind.Kind, _host.Mirror, StringComparer.Ordinal),
        }.TurnAsync);
    }

    private void AddNodes()
    {
        Informer pods = _host.Informer(Kinds.Pod), nodes = _host.Informer(Kinds.Node), claims = _host.Informer(Kinds.PersistentVolumeClaim);
        var schedule = _host.Loop(
            "scheduler",
            Kinds.Pod,
            new Scheduler(_host.Mirror(Kinds.Pod), nodes, _host.Informer(Kinds.Namespace), claims, _host.Events("default-scheduler"))
            {
                Client = _host.Client,
                Clock = _host.Clock,
            }.TurnAsync,
            change => change.Type != ChangeType.Deleted && !PodState.IsScheduled(change.Object));
        _host.Loop("node addresses", Kinds.Node, new NodeRanges(_host.Mirror(Kinds.Node), _host.Events("node-ipam-controller")).TurnAsync, NodeRanges.IsWithout);
        var leases = _host.Informer(Kinds.Lease);
        var life = _host.Loop("node life", Kinds.Node, new NodeLifecycle(
            _host.Mirror(Kinds.Node), leases, _host.Mirror(Kinds.Pod), _host.Events("node-controller"), _host.Clock).TurnAsync);
        leases.Changed += change =>
        {
            // A first lease only: a renewal moves the deadline, which is looked at when it comes.
            if (change.Type == ChangeType.Added && change.Object.Namespace() == NodeLifecycle.LeaseNamespace)
            {
                life.Enqueue(new ObjectKey("", change.Object.Name()));
            }
        };
        _collector = _host.Loop("pod collector", Kinds.Node, new PodCollector(_host.Client, pods, nodes, _host.Clock).TurnAsync, _ => false);
        nodes.Changed += change => Again(change.Type == ChangeType.Added || Placement(change.Object) != Placement(change.Previous));
        claims.Changed += _ => Again(true);
        // Room becomes free, or a pod arrives that others want to be near.
        pods.Changed += change => Again(change.Type == ChangeType.Deleted || PodState.HasEnded(change.Object)
            || (PodState.IsScheduled(change.Object) && change.Previous is { } before && !PodState.IsScheduled(before)));

        void Again(bool mayHelp)
        {
            foreach (var pod in mayHelp ? pods.Items.Where(Scheduler.IsWaiting) : [])
            {
                schedule.Enqueue(ObjectKey.Of(pod));
            }
        }
    }

    /// <summary>What of a node decides which pods it takes.</summary>
    private static string Placement(JsonObject? node) =>
        SafeNames.Canonical(node.Find("metadata", "labels")) + SafeNames.Canonical(node.Find("spec")) + SafeNames.Canonical(node.Find("status", "allocatable"));

    private static void EnqueueAll(Informer objects, ControlLoop loop)
    {
        foreach (var item in objects.Items)
        {
            loop.Enqueue(ObjectKey.Of(item));
        }
    }

    private OwnedPods Pods(string component) => new(_host.Mirror(Kinds.Pod), _host.Events(component), _host.NewRandom());
}
