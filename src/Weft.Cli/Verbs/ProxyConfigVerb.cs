// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local.Serving;
using Weft.Wire.Tables;

namespace Weft.Cli.Verbs;

/// <summary><c>weft proxy-config KIND POD</c>: what a proxy runs, asked of the proxy itself.</summary>
internal static class ProxyConfigVerb
{
    private const string ProxyContainer = "weft-proxy";
    private const string DumpUrl = "http://127.0.0.1:15000/config_dump";

    private static readonly Part[] _parts =
    [
        new("listener", ["l", "listeners"], "Ports that it listens on and what happens there", ["ListenersConfigDump"], (dump, filter, _) => ProxyConfigTables.Listeners(dump, filter)),
        new("route", ["r", "routes"], "Hosts and paths, and the object each comes from", ["RoutesConfigDump"], (dump, filter, _) => ProxyConfigTables.Routes(dump, filter)),
        new("cluster", ["c", "clusters"], "Services and their subsets", ["ClustersConfigDump"], (dump, filter, _) => ProxyConfigTables.Clusters(dump, filter)),
        new("endpoint", ["e", "endpoints", "ep"], "Addresses behind the clusters", ["EndpointsConfigDump"], (dump, filter, _) => ProxyConfigTables.Endpoints(dump, filter)),
        new("secret", ["s", "secrets"], "Certificates and roots", ["SecretsConfigDump"], (dump, _, now) => ProxyConfigTables.Secrets(dump, now)),
    ];

    public static Command Build(Terminal terminal)
    {
        var command = new Command("proxy-config", "What a proxy runs, asked of the proxy itself");
        command.Aliases.Add("pc");
        foreach (var part in _parts)
        {
            command.Subcommands.Add(BuildPart(part, terminal));
        }

        return command;
    }

    private static Command BuildPart(Part part, Terminal terminal)
    {
        var pod = new Argument<string>("pod") { Description = "POD, POD.NAMESPACE, deploy/NAME or svc/NAME" };
        var ns = VerbOptions.Namespace();
        var output = VerbOptions.Output("short", "json");
        var port = new Option<int?>("--port") { Description = "Only this port", HelpName = "number" };
        var fqdn = new Option<string?>("--fqdn") { Description = "Only this service; a short name is completed", HelpName = "host" };
        var name = new Option<string?>("--name") { Description = "Only the route table of this name", HelpName = "name" };
        var command = new Command(part.Name, part.Description) { pod, ns, output, port, fqdn, name };
        foreach (var alias in part.Aliases)
        {
            command.Aliases.Add(alias);
        }

        command.SetAction((parsed, ct) => RunAsync(
            part,
            new Request(parsed.GetRequiredValue(pod), parsed.GetValue(ns)!, parsed.GetValue(output) == "json", parsed.GetValue(port), parsed.GetValue(fqdn), parsed.GetValue(name)),
            terminal,
            ct));
        return command;
    }

    private static async Task<int> RunAsync(Part part, Request request, Terminal terminal, CancellationToken ct)
    {
        var (home, _) = MeshPlace.Running();
        using var client = MeshPlace.Connect(home);
        var pod = await PodChoice.FindAsync(client, request.Namespace, request.Pod, ct);
        if (!pod.Objects("spec", "containers").Any(container => container.Text("name") == ProxyContainer))
        {
            throw new CommandException(
                ExitCode.Failed, $"Pod '{pod.Namespace()}/{pod.Name()}' has no proxy.", $"Label its namespace, then replace the pod:  weft kubectl label ns {pod.Namespace()} istio-injection=enabled");
        }

        using var dump = await DumpAsync(new NodeClient(home.NodeSocket), pod, ct);
        await terminal.Out.WriteAsync(request.Json
            ? OutputFormat.Json(Sections(dump, part))
            : part.Table(dump.RootElement, request.FilterIn(pod.Namespace()), TimeProvider.System.GetUtcNow()).ToString());
        return ExitCode.Fine;
    }

    // The proxy's admin port listens inside the pod only: the question is asked from there.
    private static async Task<JsonDocument> DumpAsync(NodeClient node, JsonObject pod, CancellationToken ct)
    {
        using var body = new MemoryStream();
        using var errors = new MemoryStream();
        var target = new ExecTarget(pod.Namespace(), pod.Name(), ProxyContainer);
        try
        {
            var code = await node.ExecAsync(target, ["weft-sample", "get", "--fail", DumpUrl], null, body, errors, null, ct);
            return code == 0
                ? JsonDocument.Parse(body.ToArray())
                : throw new CommandException(
                    ExitCode.Failed, $"The proxy of '{pod.Namespace()}/{pod.Name()}' does not answer: {System.Text.Encoding.UTF8.GetString(errors.ToArray()).Trim()}", "weft kubectl logs shows what it says.");
        }
        catch (NodeRefusedException refused)
        {
            throw new CommandException(ExitCode.Failed, refused.Message.Trim());
        }
        catch (JsonException broken)
        {
            throw new CommandException(ExitCode.Failed, $"The proxy's answer is not JSON: {broken.Message}");
        }
    }

    private static JsonArray Sections(JsonDocument dump, Part part)
    {
        var found = new JsonArray();
        if (dump.RootElement.TryGetProperty("configs", out var configs))
        {
            foreach (var config in configs.EnumerateArray())
            {
                if (config.TryGetProperty("@type", out var type) && part.Types.Any(wanted => type.GetString()!.EndsWith("." + wanted, StringComparison.Ordinal)))
                {
                    found.Add(JsonNode.Parse(config.GetRawText()));
                }
            }
        }

        return found;
    }

    /// <summary>One kind of resource, and the sections of the dump that hold it.</summary>
    private sealed record Part(
        string Name, string[] Aliases, string Description, string[] Types, Func<JsonElement, TableFilter, DateTimeOffset, TextTable> Table);

    private sealed record Request(string Pod, string Namespace, bool Json, int? Port, string? Fqdn, string? Name)
    {
        public TableFilter FilterIn(string ns) => new(
            Name: Name,
            Port: Port,
            Fqdn: Fqdn is { } host && !host.Contains('.', StringComparison.Ordinal) ? $"{host}.{ns}.svc.cluster.local" : Fqdn);
    }
}
