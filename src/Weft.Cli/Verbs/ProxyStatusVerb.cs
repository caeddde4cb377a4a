// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text.Json.Nodes;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Control.Serving;
using Weft.Kubernetes;

namespace Weft.Cli.Verbs;

/// <summary><c>weft proxy-status</c>: which proxy has confirmed which part of its configuration.</summary>
internal static class ProxyStatusVerb
{
    private const string ControlPlaneName = "weft-control";

    public static Command Build(Terminal terminal)
    {
        var pod = new Argument<string?>("pod") { Description = "Only this one: POD.NAMESPACE", Arity = ArgumentArity.ZeroOrOne };
        var output = VerbOptions.Output("table", "json");
        var command = new Command("proxy-status", "Which proxy has which configuration") { pod, output };
        command.Aliases.Add("ps");
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(pod), parsed.GetValue(output) == "json", terminal, ct));
        return command;
    }

    private static async Task<int> RunAsync(string? only, bool json, Terminal terminal, CancellationToken ct)
    {
        var (home, _) = MeshPlace.Running();
        var text = await SocketHttp.TryGetAsync(home.ControlSocket, "debug/syncz", ct)
            ?? throw new CommandException(
                ExitCode.Failed, "The control plane does not answer; proxies go on with what they have.", $"Its log is {Path.Combine(home.Logs, "control.log")}; the node restarts it.");
        var proxies = JsonNode.Parse(text)!.AsArray();
        if (only is not null)
        {
            proxies = [.. proxies.Where(proxy => proxy is JsonObject found && found.Text("proxy") == only).Select(proxy => proxy!.DeepClone())];
            if (proxies.Count == 0)
            {
                throw new CommandException(ExitCode.Failed, $"No proxy '{only}' is connected.", "weft proxy-status lists those that are.");
            }
        }

        await terminal.Out.WriteAsync(json ? OutputFormat.Json(proxies) : ProxyStatusTable.Render(proxies, ControlPlaneName));
        var refusals = ProxyStatusTable.RenderRefusals(proxies);
        if (refusals.Length > 0)
        {
            terminal.Fail("Proxies keep their last good configuration:", refusals.TrimEnd());
        }

        return refusals.Length > 0 ? ExitCode.FoundProblems : ExitCode.Fine;
    }
}
