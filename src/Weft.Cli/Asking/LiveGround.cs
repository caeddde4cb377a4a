// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Control.Injection;
using Weft.Kubernetes;
using Weft.Local;
using Weft.Model.Plan;
using Weft.Wire;
using Weft.Wire.Plans;

namespace Weft.Cli.Asking;

/// <summary>The ground that a running mesh gives: plans as the control plane has sent them.</summary>
internal static class LiveGround
{
    public static async Task<Ground> OpenAsync(string from, string ns, CancellationToken ct)
    {
        var (home, _) = MeshPlace.Running();
        using var client = MeshPlace.Connect(home);
        var pod = await PodChoice.FindAsync(client, ns, from, ct);
        if (!pod.Objects("spec", "containers").Concat(pod.Objects("spec", "initContainers")).Any(c => c.Text("name") == SidecarInjector.ContainerName))
        {
            throw new CommandException(
                ExitCode.Failed,
                $"Pod '{pod.Namespace()}/{pod.Name()}' has no proxy: nothing decides about its requests.",
                $"Label its namespace, then replace the pod:  weft kubectl label ns {pod.Namespace()} istio-injection=enabled");
        }

        var name = $"{pod.Name()}.{pod.Namespace()}";
        var registry = (await AskAsync(home, "debug/registryz", ct)).AsObject();
        var plan = await PlanAsync(home, name, ct)
            ?? throw new CommandException(ExitCode.Failed, $"The proxy of '{name}' is not connected.", "weft proxy-status lists those that are; weft logs shows what it says.");
        var pods = registry.Objects("endpoints").SelectMany(e => e.Objects("endpoints")).Where(e => e.Flag("meshed") == true)
            .Select(e => (Address: e.Text("address") ?? "", Pod: $"{e.Text("pod")}.{e.Text("namespace")}"))
            .DistinctBy(e => e.Address).ToDictionary(e => e.Address, e => e.Pod, StringComparer.Ordinal);
        return new Ground(
            name,
            pod.Namespace(),
            $"spiffe://cluster.local/ns/{pod.Namespace()}/sa/{pod.Text("spec", "serviceAccountName") ?? "default"}",
            plan,
            [.. registry.Objects("services").Select(s => Callee(s, registry))],
            async address => pods.TryGetValue(address, out var server) ? await PlanAsync(home, server, ct) : null)
        {
            Address = pod.Text("status", "podIP") ?? "",
            Note = await SyncNoteAsync(home, name, ct),
        };
    }

    private static Callee Callee(JsonObject service, JsonObject registry)
    {
        var host = service.Text("hostname") ?? "";
        var endpoint = registry.Objects("endpoints").Where(e => e.Text("service")!.StartsWith(host + ":", StringComparison.Ordinal))
            .SelectMany(e => e.Objects("endpoints")).Select(e => IPEndPoint.Parse(e.Text("address")!).Address.ToString()).FirstOrDefault();
        return new Callee(host, service.Texts("addresses").FirstOrDefault() ?? endpoint ?? "0.0.0.0", [.. service.Objects("ports").Select(p => (int)p.Number("port")!.Value)]);
    }

    private static async Task<string?> SyncNoteAsync(MeshHome home, string name, CancellationToken ct)
    {
        var status = (await AskAsync(home, "debug/syncz", ct)).AsArray().OfType<JsonObject>().FirstOrDefault(p => p.Text("proxy") == name);
        var late = (status?["types"] as JsonObject ?? []).Where(t => t.Value!.Text("state") is "STALE" or "REJECTED").ToList();
        return late.Count == 0
            ? null
            : $"The proxy has not taken this plan yet: {string.Join(", ", late.Select(t => $"{t.Key} {t.Value!.Text("state")} {t.Value!.Text("reason")}".TrimEnd()))}";
    }

    private static async Task<ProxyPlan?> PlanAsync(MeshHome home, string proxy, CancellationToken ct)
    {
        if (await SocketHttp.TryGetAsync(home.ControlSocket, $"debug/plan?proxyID={Uri.EscapeDataString(proxy)}", ct) is not { } text)
        {
            return null;
        }

        var resources = JsonNode.Parse(text)!.Objects("resources").Select(r =>
            new EncodedResource(r.Text("type")!, r.Text("name")!, r.Text("version")!, ByteString.FromBase64(r.Text("body")!)));
        var decoded = PlanDecoder.Decode(resources);
        return decoded.Plan ?? throw new CommandException(
            ExitCode.Failed, string.Create(CultureInfo.InvariantCulture, $"The plan of '{proxy}' cannot be read: {decoded.Errors[0]} ({decoded.Errors.Length} problems)"));
    }

    private static async Task<JsonNode> AskAsync(MeshHome home, string path, CancellationToken ct) =>
        JsonNode.Parse(await SocketHttp.TryGetAsync(home.ControlSocket, path, ct)
            ?? throw new CommandException(
                ExitCode.Failed, "The control plane does not answer.", $"Its log is {Path.Combine(home.Logs, "control.log")}; the node restarts it."))!;
}
