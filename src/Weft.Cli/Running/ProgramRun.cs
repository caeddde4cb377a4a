// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Cli.Applying;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;

namespace Weft.Cli.Running;

/// <summary>A program of this machine as a workload in a running mesh: made, watched until it is ready, restarted, removed.</summary>
internal sealed class ProgramRun(RunRequest request, MeshHome home, KubernetesClient client, TimeProvider clock)
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _diagnosis = TimeSpan.FromSeconds(5);

    private string Selector => $"app={request.Name}";

    /// <summary>Creates or changes the objects; a program that runs already under this name is replaced.</summary>
    public async Task ApplyAsync(IReadOnlyDictionary<string, string> callersEnvironment, CancellationToken ct)
    {
        await RefuseOthersAsync(ct);
        await EnsureNamespaceAsync(ct);
        var applier = new Applier(client);
        await applier.ApplyAsync(RunObjects.Environment(request, callersEnvironment), ct);
        foreach (var source in RunObjects.Build(request))
        {
            if (source.Kind() == "Deployment")
            {
                Restarted(source, clock.GetUtcNow());
            }

            await applier.ApplyAsync(source, ct);
        }

        if (request.Ports.Count == 0)
        {
            await TryDeleteAsync(Kinds.Service, request.Name, ct);
        }

        await OwnAsync(ct);
    }

    /// <summary>New pods take the place of the old ones when they are ready.</summary>
    public Task RestartAsync(CancellationToken ct)
    {
        var patch = new JsonObject();
        Restarted(patch, clock.GetUtcNow());
        return client.PatchAsync(Kinds.Deployment, request.Namespace, request.Name, patch, ct);
    }

    public async Task<IReadOnlyList<JsonObject>> PodsAsync(CancellationToken ct) =>
        [.. (await client.ListAsync(Kinds.Pod, request.Namespace, Selector, ct)).Objects("items")];

    /// <summary>Waits until the newest version is the one that serves. Null, or after the limit one sentence a pod: what keeps it.</summary>
    public async Task<string?> WaitAsync(TimeSpan limit, Func<string?> meshFailed, Action<string> show, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var told = "";
        while (true)
        {
            var deployment = await client.GetAsync(Kinds.Deployment, request.Namespace, request.Name, ct);
            if (PodFacts.IsRolledOut(deployment))
            {
                return null;
            }

            if (meshFailed() is { } failure)
            {
                throw new CommandException(ExitCode.Failed, failure);
            }

            var waited = clock.GetElapsedTime(began);
            var why = waited > _diagnosis ? await WhyAsync(ct) : "";
            if (why.Length > 0 && why != told)
            {
                told = why;
                show(why);
            }

            if (waited > limit)
            {
                return why.Length > 0 ? why : PodFacts.WhyNotRolledOut(deployment);
            }

            await Task.Delay(_pause, clock, ct);
        }
    }

    /// <summary>Removes all of it; the rest follows the Deployment, which owns it.</summary>
    public async Task RemoveAsync(CancellationToken ct)
    {
        await TryDeleteAsync(Kinds.Deployment, request.Name, ct);
        while ((await PodsAsync(ct)).Count > 0)
        {
            await Task.Delay(_pause, clock, ct);
        }
    }

    /// <summary>A Deployment that came from a file is somebody's; to overwrite it would lose what it says.</summary>
    private async Task RefuseOthersAsync(CancellationToken ct)
    {
        try
        {
            var present = await client.GetAsync(Kinds.Deployment, request.Namespace, request.Name, ct);
            if (present.Label(RunObjects.ManagedBy) != RunObjects.Manager)
            {
                throw new CommandException(
                    ExitCode.Failed, $"There is a Deployment '{request.Name}' in namespace '{request.Namespace}' that weft run did not make.", "Give this one another name: --name NAME");
            }
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            // The name is free.
        }
    }

    private async Task EnsureNamespaceAsync(CancellationToken ct)
    {
        try
        {
            await client.GetAsync(Kinds.Namespace, null, request.Namespace, ct);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            var ns = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = request.Namespace } };
            await client.CreateAsync(Kinds.Namespace, null, ns, ct);
        }
    }

    /// <summary>So that <c>kubectl delete deployment NAME</c> leaves nothing behind.</summary>
    private async Task OwnAsync(CancellationToken ct)
    {
        var deployment = await client.GetAsync(Kinds.Deployment, request.Namespace, request.Name, ct);
        var owner = new JsonObject
        {
            ["apiVersion"] = "apps/v1",
            ["kind"] = "Deployment",
            ["name"] = deployment.Name(),
            ["uid"] = deployment.Uid(),
        };
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = new JsonArray(owner) } };
        await client.PatchAsync(Kinds.ServiceAccount, request.Namespace, request.Name, patch, ct);
        await client.PatchAsync(Kinds.Secret, request.Namespace, RunObjects.EnvironmentName(request.Name), patch, ct);
        if (request.Ports.Count > 0)
        {
            await client.PatchAsync(Kinds.Service, request.Namespace, request.Name, patch, ct);
        }
    }

    private async Task<string> WhyAsync(CancellationToken ct)
    {
        var up = UpRecord.Read(home);
        var processes = up is null ? null : await ContainerProcesses.ReadAsync(home, up, ct);
        var lines = new List<string>();
        foreach (var pod in (await PodsAsync(ct)).Where(pod => !PodFacts.IsReadyOrDone(pod)))
        {
            var runs = pod.Objects("status", "containerStatuses").Any(state => state.Text("name") == "app" && state.Find("state", "running") is not null);
            var hint = runs && request.Ports.Count > 0 && processes?.PidOf(pod.Uid(), "app") is { } pid
                ? ListeningPorts.Explain(pid, request.Ports[0].Number)
                : null;
            lines.Add($"{pod.Name()}: {hint ?? PodFacts.Why(pod)}");
        }

        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    private async Task TryDeleteAsync(ResourceKind kind, string name, CancellationToken ct)
    {
        try
        {
            await client.DeleteAsync(kind, request.Namespace, name, ct);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            // Somebody was faster, or it never was.
        }
    }

    private static void Restarted(JsonObject deployment, DateTimeOffset now)
    {
        var annotations = new JsonObject { [RunObjects.RestartedAt] = now.ToString("o", CultureInfo.InvariantCulture) };
        if (deployment.Find("spec", "template", "metadata") is JsonObject metadata)
        {
            metadata["annotations"] = annotations;
        }
        else
        {
            deployment["spec"] = new JsonObject { ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = annotations } } };
        }
    }
}
