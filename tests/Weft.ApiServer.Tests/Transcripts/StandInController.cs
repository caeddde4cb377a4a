// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.ApiServer.Tests.Transcripts;

/// <summary>Makes deployments of a few namespaces ready without pods, as much as helm's waiting looks at.</summary>
internal sealed class StandInController : IAsyncDisposable
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    private readonly TestServer _server;
    private readonly string[] _namespaces;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loop;

    public StandInController(TestServer server, params string[] namespaces)
    {
        _server = server;
        _namespaces = namespaces;
        _loop = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await _loop;
        }
        catch (OperationCanceledException)
        {
            // Stopped, as was asked.
        }

        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(_pause);
        while (await timer.WaitForNextTickAsync(_stopping.Token))
        {
            foreach (var ns in _namespaces)
            {
                var (_, list) = await _server.GetAsync($"/apis/apps/v1/namespaces/{ns}/deployments");
                foreach (var deployment in list["items"]?.AsArray() ?? [])
                {
                    await MakeReadyAsync(ns, deployment!);
                }
            }
        }
    }

    private async Task MakeReadyAsync(string ns, JsonNode deployment)
    {
        var name = (string)deployment["metadata"]!["name"]!;
        var generation = (long)deployment["metadata"]!["generation"]!;
        var replicas = (long)deployment["spec"]!["replicas"]!;
        if ((long?)deployment["status"]?["observedGeneration"] == generation && (long?)deployment["status"]!["readyReplicas"] == replicas)
        {
            return;
        }

        var sets = $"/apis/apps/v1/namespaces/{ns}/replicasets";
        await _server.PostAsync(sets, ReplicaSet(deployment, name, replicas).ToJsonString());
        await PatchAsync($"{sets}/{name}-1", new JsonObject
        {
            ["observedGeneration"] = 1,
            ["replicas"] = replicas,
            ["readyReplicas"] = replicas,
            ["availableReplicas"] = replicas,
        });
        await PatchAsync($"/apis/apps/v1/namespaces/{ns}/deployments/{name}", new JsonObject
        {
            ["observedGeneration"] = generation,
            ["replicas"] = replicas,
            ["updatedReplicas"] = replicas,
            ["readyReplicas"] = replicas,
            ["availableReplicas"] = replicas,
            ["conditions"] = new JsonArray(
                new JsonObject { ["type"] = "Available", ["status"] = "True", ["reason"] = "MinimumReplicasAvailable" },
                new JsonObject { ["type"] = "Progressing", ["status"] = "True", ["reason"] = "NewReplicaSetAvailable" }),
        });
    }

    private static JsonObject ReplicaSet(JsonNode deployment, string name, long replicas)
    {
        var template = deployment["spec"]!["template"]!.DeepClone();
        template["metadata"]!["labels"]!["pod-template-hash"] = "1";
        return new JsonObject
        {
            ["apiVersion"] = "apps/v1",
            ["kind"] = "ReplicaSet",
            ["metadata"] = new JsonObject
            {
                ["name"] = name + "-1",
                ["labels"] = template["metadata"]!["labels"]!.DeepClone(),
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = "apps/v1",
                    ["kind"] = "Deployment",
                    ["name"] = name,
                    ["uid"] = (string)deployment["metadata"]!["uid"]!,
                    ["controller"] = true,
                }),
            },
            ["spec"] = new JsonObject
            {
                ["replicas"] = replicas,
                ["selector"] = new JsonObject { ["matchLabels"] = template["metadata"]!["labels"]!.DeepClone() },
                ["template"] = template,
            },
        };
    }

    private async Task PatchAsync(string path, JsonObject status) => await _server.SendAsync(
        HttpMethod.Patch, path + "/status", new JsonObject { ["status"] = status }.ToJsonString(), "application/merge-patch+json");
}
