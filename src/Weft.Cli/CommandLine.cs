// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.CommandLine.Help;
using Weft.Cli.Output;
using Weft.Cli.Verbs;
using Weft.Dialects.Reading;
using Weft.Kubernetes;

namespace Weft.Cli;

/// <summary>The verbs, and what happens when one of them is not understood or fails.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args, Terminal terminal)
    {
        try
        {
            return args switch
            {
                [] or ["--help" or "-h" or "help"] => HelpText.Print(terminal),
                // Its flags are kubectl's.
                ["kubectl", .. var rest] => await KubectlVerb.RunAsync(rest, CancellationToken.None),
                ["--version"] => await InvokeAsync(["version"], terminal),
                ["help", var verb] => await InvokeAsync([verb, "--help"], terminal),
                _ => await InvokeAsync(args, terminal),
            };
        }
        catch (CommandException failed)
        {
            terminal.Fail(failed.Message, failed.Cure);
            return failed.ExitCode;
        }
        catch (KubernetesException refused)
        {
            terminal.Fail($"The API server refuses: {refused.Message}", null);
            return ExitCode.Failed;
        }
        catch (Exception away) when (away is HttpRequestException or TimeoutException)
        {
            terminal.Fail($"The API server does not answer: {away.Message}", "weft status shows the mesh's processes; the node restarts what has ended.");
            return ExitCode.NoMesh;
        }
        catch (Exception denied) when (denied is UnauthorizedAccessException or IOException)
        {
            terminal.Fail(denied.Message, null);
            return ExitCode.Failed;
        }
    }

    internal static RootCommand BuildRoot(Terminal terminal)
    {
        var root = new RootCommand("A service mesh on one machine");
        root.Options.Clear();
        root.Options.Add(new HelpOption());
        foreach (var verb in Verbs(terminal))
        {
            root.Subcommands.Add(verb);
        }

        return root;
    }

    private static IEnumerable<Command> Verbs(Terminal terminal) =>
    [
        UpVerb.Build(terminal),
        RunVerb.Build(terminal),
        DownVerb.Build(terminal),
        StatusVerb.Build(terminal),
        NodesVerb.Build(terminal),
        ProxyStatusVerb.Build(terminal),
        ProxyConfigVerb.Build(terminal),
        LogsVerb.Build(terminal),
        ExecVerb.Build(terminal),
        ValidateVerb.Build(terminal),
        AnalyzeVerb.Build(terminal),
        WhyVerb.Build(terminal),
        AuthnVerb.Build(terminal),
        DescribeVerb.Build(terminal),
        DescribeVerb.BuildExperimental(terminal),
        ExplainVerb.Build(terminal),
        VersionVerb.Build(terminal),
        HoldVerb.Build(terminal),
        NodeVerb.Build(terminal),
        ApiVerb.Build(terminal),
        ControlVerb.Build(terminal),
    ];

    private static async Task<int> InvokeAsync(string[] args, Terminal terminal)
    {
        var root = BuildRoot(terminal);
        var parsed = root.Parse(args);
        if (parsed.Action is HelpAction)
        {
            if (!HelpText.PrintExamples(parsed.CommandResult.Command, terminal))
            {
                return ExitCode.Fine;
            }
        }
        else if (parsed.Errors.Count > 0)
        {
            return Misunderstood(parsed, root, terminal);
        }

        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
            Output = terminal.Out,
            Error = terminal.Error,
        });
    }

    private static int Misunderstood(ParseResult parsed, RootCommand root, Terminal terminal)
    {
        var command = parsed.CommandResult.Command;
        if (parsed.UnmatchedTokens is [var word, ..])
        {
            var isFlag = word.StartsWith('-');
            var known = isFlag
                ? command.Options.SelectMany(option => option.Aliases.Append(option.Name))
                : command.Subcommands.Where(verb => !verb.Hidden).SelectMany(verb => verb.Aliases.Append(verb.Name)).Append(command == root ? "kubectl" : "");
            // One letter is near to everything.
            var near = NearestName.Of(word, known.Where(name => name.Length > 2));
            var what = isFlag ? "flag" : command == root ? "verb" : "word";
            terminal.Fail(
                $"Unknown {what} '{word}'{(command == root ? "" : $" of '{PathOf(command)}'")}.",
                near is null ? $"See  {PathOf(command)} --help" : $"Did you mean '{near}'?");
        }
        else
        {
            terminal.Fail(parsed.Errors[0].Message, $"See  {PathOf(command)} --help");
        }

        return ExitCode.WrongUsage;
    }

    private static string PathOf(Command command) =>
        command is RootCommand ? "weft" : command.Parents.OfType<Command>().Select(PathOf).First() + " " + command.Name;
}
