// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;
using Weft.Local.Outside;
using Weft.Local.Serving;

namespace Weft.Cli.Verbs;

/// <summary><c>weft status</c>: processes, host ports and pods of the mesh.</summary>
internal static class StatusVerb
{
    public static Command Build(Terminal terminal)
    {
        var output = VerbOptions.Output("table", "json");
        var command = new Command("status", "Processes, host ports and pods of the mesh") { output };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(output) == "json", terminal, ct));
        return command;
    }

    public static Table PodTable(IEnumerable<JsonObject> pods)
    {
        var table = new Table("NAMESPACE", "POD", "READY", "STATUS", "RESTARTS", "ADDRESS");
        foreach (var pod in pods.OrderBy(pod => pod.Namespace(), StringComparer.Ordinal).ThenBy(pod => pod.Name(), StringComparer.Ordinal))
        {
            var restarts = pod.Objects("status", "containerStatuses").Sum(state => state.Number("restartCount") ?? 0);
            table.Add(
                pod.Namespace(), pod.Name(), PodFacts.Ready(pod), PodFacts.State(pod),
                restarts.ToString(CultureInfo.InvariantCulture), pod.Text("status", "podIP") ?? "");
        }

        return table;
    }

    public static Table NodeTable(IEnumerable<JsonObject> nodes)
    {
        var table = new Table("NODE", "STATE", "ADDRESS", "PODS", "ZONE");
        foreach (var node in nodes)
        {
            table.Add(
                node.Text("name") ?? "", node.Flag("running") == true ? "running" : "stopped", node.Text("address") ?? "", node.Text("pods") ?? "", node.Text("zone") ?? "");
        }

        return table;
    }

    /// <summary>None while the node does not answer; the processes say that it is gone.</summary>
    public static async Task<List<JsonObject>> NodesAsync(MeshHome home, CancellationToken ct)
    {
        try
        {
            return [.. (await new NodeClient(home.NodeSocket).StatusAsync(ct)).Objects("nodes")];
        }
        catch (NodeRefusedException)
        {
            return [];
        }
    }

    private static async Task<int> RunAsync(bool json, Terminal terminal, CancellationToken ct)
    {
        var (home, up) = MeshPlace.Running();
        var parts = MeshProcesses.Find(up);
        var (pods, trouble) = await PodsAsync(MeshPlace.Connect(home), ct);
        var ports = OpenPort.Read(home.OpenPorts);
        var nodes = await NodesAsync(home, ct);
        if (json)
        {
            var containers = await ContainerProcesses.ReadAsync(home, up, ct);
            await terminal.Out.WriteAsync(OutputFormat.Json(ToJson(home.Root, parts, ports, nodes, pods, containers)));
        }
        else
        {
            var urls = new Table("HOST PORT OF", "URL");
            foreach (var port in ports)
            {
                urls.Add(port.Name, port.Url);
            }

            await terminal.Out.WriteAsync($"{parts}\n{urls}\n{NodeTable(nodes)}\n{(pods.Count == 0 ? "No pods.\n" : PodTable(pods))}");
        }

        if (trouble is null)
        {
            return ExitCode.Fine;
        }

        terminal.Fail($"The API server does not answer: {trouble}", $"Its log is {Path.Combine(home.Logs, "api.log")}; the node restarts it.");
        return ExitCode.Failed;
    }

    private static async Task<(List<JsonObject> Pods, string? Trouble)> PodsAsync(KubernetesClient client, CancellationToken ct)
    {
        using (client)
        {
            try
            {
                return ([.. (await client.ListAsync(Kinds.Pod, null, null, ct)).Objects("items")], null);
            }
            catch (Exception away) when (away is HttpRequestException or KubernetesException or TimeoutException)
            {
                return ([], away.Message);
            }
        }
    }

    private static JsonObject ToJson(
        string home, MeshProcesses parts, IReadOnlyList<OpenPort> ports, List<JsonObject> nodes, List<JsonObject> pods, ContainerProcesses containers) => new()
        {
            ["home"] = home,
            ["up"] = Part(parts.Up),
            ["node"] = Part(parts.Node),
            ["api"] = Part(parts.Api),
            ["control"] = Part(parts.Control),
            ["ports"] = new JsonArray([.. ports.Select(port => new JsonObject { ["name"] = port.Name, ["port"] = port.Port, ["url"] = port.Url })]),
            ["nodes"] = new JsonArray([.. nodes.Select(node => node.DeepClone())]),
            ["pods"] = new JsonArray([.. pods.Select(pod => ToJson(pod, containers))]),
        };

    private static JsonObject? Part(int? pid) => pid is null ? null : new JsonObject { ["pid"] = pid };

    private static JsonObject ToJson(JsonObject pod, ContainerProcesses processes)
    {
        var states = pod.Objects("status", "containerStatuses").ToDictionary(state => state.Text("name") ?? "", StringComparer.Ordinal);
        return new JsonObject
        {
            ["namespace"] = pod.Namespace(),
            ["name"] = pod.Name(),
            ["uid"] = pod.Uid(),
            ["ready"] = PodFacts.Ready(pod),
            ["status"] = PodFacts.State(pod),
            ["address"] = pod.Text("status", "podIP"),
            ["containers"] = new JsonArray([.. pod.Objects("spec", "containers").Select(container => ContainerOf(container.Text("name") ?? ""))]),
        };

        JsonObject ContainerOf(string name) => new()
        {
            ["name"] = name,
            ["ready"] = states.GetValueOrDefault(name)?.Flag("ready") == true,
            ["restarts"] = states.GetValueOrDefault(name)?.Number("restartCount") ?? 0,
            ["pid"] = processes.PidOf(pod.Uid(), name),
        };
    }
}
