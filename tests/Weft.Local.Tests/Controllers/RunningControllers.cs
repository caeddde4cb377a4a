// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Local.Logging;
using Weft.Local.Network;
using Weft.Testing;

namespace Weft.Local.Tests.Controllers;

/// <summary>The controllers on a fake API, with a stand-in for the node agent that makes scheduled pods ready.</summary>
internal sealed class RunningControllers : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _tasks = [];
    private int _address;

    private RunningControllers(FakeApi api)
    {
        Api = api;
        Client = new KubernetesClient(api.Endpoint);
    }

    public FakeApi Api { get; }

    public KubernetesClient Client { get; }

    /// <summary>Which pods become ready; all by default.</summary>
    public Func<JsonObject, bool> BecomesReady { get; set; } = _ => true;

    /// <summary>Sets the phase in which a pod ends; null for one that goes on.</summary>
    public Func<JsonObject, string?> Ends { get; set; } = _ => null;

    /// <summary>The time that the controllers see; it goes on a little with each look of <see cref="UntilAsync"/>.</summary>
    public ManualClock Clock { get; } = new();

    public FakeMetrics Metrics { get; } = new();

    public DirectoryInfo Volumes { get; } = Directory.CreateTempSubdirectory("weft-volumes-");

    public static async Task<RunningControllers> StartAsync()
    {
        var running = new RunningControllers(await FakeApi.StartAsync());
        running.Api.Clock = running.Clock;
        await new NodeRegistration(running.Client, running.Clock, new NodePlace(NodePlace.FirstName, 0)).TellReadyAsync(CancellationToken.None);
        var controllers = new WorkloadControllers(running.Client, new ControllerOptions
        {
            Time = running.Clock,
            Random = new Random(7),
            Log = new LineLogger(Console.Error, running.Clock, LogLevel.Error),
            Volumes = running.Volumes.FullName,
            Metrics = running.Metrics,
        });
        running._tasks.Add(controllers.RunAsync(running._stop.Token));
        var pods = new Informer(running.Client, Kinds.Pod, TimeProvider.System);
        pods.Changed += change => running._tasks.Add(running.PlayNodeAsync(change));
        running._tasks.Add(pods.RunAsync(running._stop.Token));
        return running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_tasks.ToArray());
        Client.Dispose();
        await Api.DisposeAsync();
        _stop.Dispose();
        Volumes.Delete(recursive: true);
    }

    public Task<JsonObject> CreateAsync(ResourceKind kind, string yamlLikeJson) =>
        Client.CreateAsync(kind, kind.Namespaced ? "shop" : null, JsonNode.Parse(yamlLikeJson)!.AsObject(), _stop.Token);

    public async Task<List<JsonObject>> ListAsync(ResourceKind kind, string? selector = null) =>
        [.. (await Client.ListAsync(kind, kind.Namespaced ? "shop" : null, selector, _stop.Token)).Objects("items")];

    public Task<JsonObject> GetAsync(ResourceKind kind, string name) => Client.GetAsync(kind, "shop", name, _stop.Token);

    public Task<JsonObject> PatchAsync(ResourceKind kind, string name, string patch) =>
        Client.PatchAsync(kind, "shop", name, JsonNode.Parse(patch)!, _stop.Token);

    public Task<JsonObject> PatchStatusAsync(ResourceKind kind, string name, string status) =>
        Client.PatchStatusAsync(kind, kind.Namespaced ? "shop" : null, name, JsonNode.Parse($$"""{"status":{{status}}}""")!, _stop.Token);

    public Task DeleteAsync(ResourceKind kind, string name) => Client.DeleteAsync(kind, kind.Namespaced ? "shop" : null, name, _stop.Token);

    /// <summary>Waits for a condition; the controllers' time goes on by itself, too slowly for anything but retries.</summary>
    public Task UntilAsync(string what, Func<Task<bool>> ask, Func<Task<string>>? seen = null) => StepAsync(what, TimeSpan.FromMilliseconds(20), ask, seen);

    /// <summary>Waits for what comes only after a time: a controller may begin to count it later than the test does.</summary>
    public Task UntilLaterAsync(string what, Func<Task<bool>> ask) => StepAsync(what, TimeSpan.FromSeconds(1), ask, null);

    private Task StepAsync(string what, TimeSpan step, Func<Task<bool>> ask, Func<Task<string>>? seen) => Eventually.HoldsAsync(what, async () =>
    {
        Clock.Advance(step);
        return await ask();
    }, seen);

    /// <summary>The reasons and messages of what was told about an object.</summary>
    public async Task<List<string>> EventsAsync(string name) =>
        [.. (await ListAsync(Kinds.Event)).Where(told => told.Text("involvedObject", "name") == name).Select(told => $"{told.Text("reason")}: {told.Text("message")}")];

    /// <summary>Waits until a Deployment says that its rollout is done.</summary>
    public Task UntilRolledOutAsync(string name) => UntilAsync($"{name} is rolled out", async () =>
    {
        var deployment = await GetAsync(Kinds.Deployment, name);
        var wanted = deployment.Number("spec", "replicas") ?? 1;
        return Conditions.Find(deployment, "Progressing")?.Text("reason") == "NewReplicaSetAvailable"
            && deployment.Number("status", "observedGeneration") == deployment.Number("metadata", "generation")
            && (deployment.Number("status", "replicas") ?? 0) == wanted
            && (deployment.Number("status", "updatedReplicas") ?? 0) == wanted
            && (deployment.Number("status", "availableReplicas") ?? 0) == wanted;
    }, async () => (await GetAsync(Kinds.Deployment, name)).ToJsonString());

    public static string Deployment(string name, int replicas, string image, string more = "") => $$$"""
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"{{{name}}}","namespace":"shop"},"spec":{"replicas":{{{replicas}}},
         "selector":{"matchLabels":{"app":"{{{name}}}"} },
         "template":{"metadata":{"labels":{"app":"{{{name}}}"} },"spec":{"containers":[{"name":"app","image":"{{{image}}}",
           "ports":[{"name":"web","containerPort":3000}]}]} }{{{more}}} } }
        """;

    private async Task PlayNodeAsync(Change change)
    {
        var pod = change.Object;
        if (change.Type == ChangeType.Deleted || !PodState.IsScheduled(pod) || PodState.HasEnded(pod) || Owners.IsBeingDeleted(pod))
        {
            return;
        }

        var end = Ends(pod);
        if (end is null && (PodState.IsReady(pod) || !BecomesReady(pod)))
        {
            return;
        }

        var status = new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["phase"] = end ?? "Running",
                ["podIP"] = $"10.244.0.{Interlocked.Increment(ref _address) + 1}",
                ["conditions"] = new JsonArray(Conditions.Next(null, "Ready", end is null, "", "", Clock.GetUtcNow(), hasUpdateTime: false)),
            },
        };
        try
        {
            await Client.PatchStatusAsync(Kinds.Pod, pod.Namespace(), pod.Name(), status, _stop.Token);
        }
        catch (Exception ended) when (ended is KubernetesException { IsNotFound: true } or OperationCanceledException)
        {
            // Deleted meanwhile, or the test is over.
        }
    }
}
