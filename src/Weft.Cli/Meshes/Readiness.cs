// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;
using Weft.Model.World;

namespace Weft.Cli.Meshes;

/// <summary>Waits until the parts of a mesh, and what was applied to it, are ready; says what is not when time is over.</summary>
internal sealed class Readiness(MeshHome home, Phases phases, TimeProvider clock, Func<string?> holderFailed)
{
    private const int LogLines = 8;
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    public async Task WaitForPartsAsync(TimeSpan limit, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        await PartAsync("network", "pods 10.244.0.0/16, services 10.96.0.0/16", "node", () => AcceptsAsync(home.RelaySocket, ct));
        await PartAsync("API server", OpenApiUrl(), "api", async () => await SocketHttp.TryGetAsync(home.ApiSocket, "readyz", ct) is not null);
        await PartAsync("control plane", "", "control", async () => await SocketHttp.TryGetAsync(home.ControlSocket, "ready", ct) is not null);

        async Task PartAsync(string name, string remark, string log, Func<Task<bool>> isReady)
        {
            phases.Begin(name);
            while (!await isReady())
            {
                phases.Show(name, "");
                var failure = holderFailed();
                if (failure is not null || clock.GetElapsedTime(began) > limit)
                {
                    phases.Failed(name, failure is null ? "not ready" : "");
                    throw new CommandException(
                        failure is null ? ExitCode.TimedOut : ExitCode.Failed,
                        failure ?? $"The {name} was not ready after {limit.TotalSeconds:0} s.",
                        LastLines(Path.Combine(home.Logs, log + ".log")));
                }

                await Task.Delay(_pause, clock, ct);
            }

            phases.Done(name, name == "API server" ? OpenApiUrl() : remark);
        }
    }

    /// <summary>Waits until the gateways that objects select and nobody has brought have been started; true if there are such.</summary>
    public async Task<bool> WaitForGatewaysAsync(KubernetesClient client, TimeSpan limit, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var told = new SortedSet<string>(StringComparer.Ordinal);
        while (true)
        {
            var (here, missing) = await StandardGatewaysAsync(client, ct);
            if (missing.Count == 0)
            {
                told.UnionWith(here);
                if (told.Count > 0)
                {
                    phases.Done("gateways", string.Join(", ", told));
                }

                return told.Count > 0;
            }

            phases.Begin("gateways");
            if (clock.GetElapsedTime(began) > limit)
            {
                phases.Failed("gateways", string.Join(", ", missing));
                throw new CommandException(ExitCode.TimedOut, $"Not started after {limit.TotalSeconds:0} s: {string.Join(", ", missing)}", LastLines(Path.Combine(home.Logs, "node.log")));
            }

            await Task.Delay(_pause, clock, ct);
        }
    }

    /// <summary>The standard gateways that Gateways select: those that have been started, and those that nobody serves yet.</summary>
    private static async Task<(List<string> Here, List<string> Missing)> StandardGatewaysAsync(KubernetesClient client, CancellationToken ct)
    {
        List<string> here = [], missing = [];
        var deployments = (await client.ListAsync(Kinds.Deployment, StandardGateway.Namespace, null, ct)).Objects("items").Select(d => d.Name()).ToList();
        foreach (var gateway in (await client.ListAsync(Kinds.Gateway, null, null, ct)).Objects("items"))
        {
            var selector = gateway.TextMap("spec", "selector").ToList();
            if (StandardGateway.SelectedBy(new LabelSelector([.. selector.Select(label => new Label(label.Key, label.Value))])) is not { } meant)
            {
                continue;
            }

            var words = string.Join(',', selector.Select(label => $"{label.Key}={label.Value}"));
            var line = $"{meant.Name} for Gateway {gateway.Namespace()}/{gateway.Name()}";
            if (deployments.Contains(meant.Name))
            {
                here.Add(line);
            }
            else if (!(await client.ListAsync(Kinds.Pod, null, words, ct)).Objects("items").Any())
            {
                missing.Add(line);
            }
        }

        return (here, missing);
    }

    /// <summary>Waits until every Deployment of the namespaces is rolled out and every pod ready; all namespaces if none is named.</summary>
    public async Task WaitForPodsAsync(KubernetesClient client, IReadOnlyCollection<string> namespaces, TimeSpan limit, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        phases.Begin("pods");
        while (true)
        {
            var pods = Within(await client.ListAsync(Kinds.Pod, null, null, ct));
            var deployments = Within(await client.ListAsync(Kinds.Deployment, null, null, ct));
            var waiting = pods.Where(pod => !PodFacts.IsReadyOrDone(pod)).ToList();
            var moving = deployments.Where(deployment => !PodFacts.IsRolledOut(deployment)).ToList();
            var count = $"{pods.Count - waiting.Count}/{pods.Count} ready";
            if (waiting.Count == 0 && moving.Count == 0)
            {
                phases.Done("pods", count);
                return;
            }

            phases.Show("pods", count);
            if (holderFailed() is { } failure)
            {
                phases.Failed("pods", count);
                throw new CommandException(ExitCode.Failed, failure, LastLines(Path.Combine(home.Logs, "node.log")));
            }

            if (clock.GetElapsedTime(began) > limit)
            {
                phases.Failed("pods", count);
                throw await GiveUpAsync(waiting, moving, limit, ct);
            }

            await Task.Delay(_pause, clock, ct);
        }

        List<JsonObject> Within(JsonObject list) =>
            [.. list.Objects("items").Where(item => namespaces.Count == 0 || namespaces.Contains(item.Namespace()))];
    }

    private async Task<CommandException> GiveUpAsync(List<JsonObject> waiting, List<JsonObject> moving, TimeSpan limit, CancellationToken ct)
    {
        var lines = new List<string>();
        foreach (var pod in waiting)
        {
            lines.Add($"{pod.Namespace()}/{pod.Name()}: {PodFacts.Why(pod)}");
            if (PodFacts.TroubledContainer(pod) is { } container)
            {
                var path = $"api/v1/namespaces/{pod.Namespace()}/pods/{pod.Name()}/log?container={container}&tailLines={LogLines}";
                var log = await SocketHttp.TryGetAsync(home.ApiSocket, path, ct);
                lines.AddRange((log ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"    {container} | {line}"));
            }
        }

        lines.AddRange(moving
            .Where(deployment => !waiting.Exists(pod => pod.Namespace() == deployment.Namespace()))
            .Select(deployment => $"{deployment.Namespace()}/{deployment.Name()}: {PodFacts.WhyNotRolledOut(deployment)}"));
        return new CommandException(ExitCode.TimedOut, $"Not ready after {limit.TotalSeconds:0} s:", string.Join('\n', lines));
    }

    private string OpenApiUrl() => UpRecord.Read(home)?.ApiUrl ?? "";

    private static async Task<bool> AcceptsAsync(string path, CancellationToken ct)
    {
        try
        {
            using var socket = await SocketHttp.ConnectAsync(path, ct);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string LastLines(string file) => File.Exists(file)
        ? $"The last lines of {file}:\n" + string.Join('\n', File.ReadLines(file).TakeLast(LogLines).Select(line => "    " + line))
        : $"There is no {file}.";
}
