// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Asking;
using Weft.Cli.Output;

namespace Weft.Cli.Verbs;

/// <summary><c>weft describe pod|service NAME</c>, also <c>weft x describe</c>: what applies to a pod or a service.</summary>
internal static class DescribeVerb
{
    public static Command Build(Terminal terminal)
    {
        var command = new Command("describe", "What applies to a pod or a service, and what will surprise") { Pod(terminal), Service(terminal) };
        command.Aliases.Add("des");
        return command;
    }

    /// <summary>Where istioctl has it.</summary>
    public static Command BuildExperimental(Terminal terminal)
    {
        var command = new Command("experimental", "The same words as istioctl has") { Build(terminal) };
        command.Aliases.Add("x");
        command.Aliases.Add("exp");
        command.Hidden = true;
        return command;
    }

    private static Command Pod(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "POD, POD.NAMESPACE, deploy/NAME or a workload's name" };
        var (ns, files, output) = (VerbOptions.Namespace(), Files(), VerbOptions.Output("text", "json"));
        var command = new Command("pod", "Services, rules, gateways and mTLS mode of a pod") { name, ns, files, output };
        command.Aliases.Add("po");
        command.SetAction(async (parsed, ct) =>
        {
            var ground = await DescribedMesh.OpenAsync(parsed.GetValue(files)!, ct);
            return await WriteAsync(ground.Pod(await ground.FindPodAsync(parsed.GetRequiredValue(name), parsed.GetValue(ns)!, ct)), parsed.GetValue(output) == "json", terminal);
        });
        return command;
    }

    private static Command Service(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "SERVICE, SERVICE.NAMESPACE or a host" };
        var (ns, files, output) = (VerbOptions.Namespace(), Files(), VerbOptions.Output("text", "json"));
        var command = new Command("service", "Rules, gateways and mTLS mode of a service") { name, ns, files, output };
        command.Aliases.Add("svc");
        command.SetAction(async (parsed, ct) =>
        {
            var ground = await DescribedMesh.OpenAsync(parsed.GetValue(files)!, ct);
            return await WriteAsync(ground.Service(ground.FindService(parsed.GetRequiredValue(name), parsed.GetValue(ns)!)), parsed.GetValue(output) == "json", terminal);
        });
        return command;
    }

    private static Option<string[]> Files() =>
        new("--file", "-f") { Description = "Look at these files or folders and not at a mesh", HelpName = "path", DefaultValueFactory = _ => [] };

    private static async Task<int> WriteAsync(DescriptionText text, bool json, Terminal terminal)
    {
        await terminal.Out.WriteAsync(json ? OutputFormat.Json(text.ToJson()) : text.ToText(terminal));
        return ExitCode.Fine;
    }
}
