// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Runtime.InteropServices;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;
using Weft.Local.Serving;

namespace Weft.Cli.Verbs;

/// <summary><c>weft exec POD [-c C] -- CMD</c>: runs a command of the host inside a pod.</summary>
internal static class ExecVerb
{
    public static Command Build(Terminal terminal)
    {
        var pod = new Argument<string>("pod") { Description = "POD, POD.NAMESPACE, deploy/NAME or svc/NAME" };
        var words = new Argument<string[]>("command") { Description = "After --: the command and its arguments", Arity = ArgumentArity.OneOrMore };
        var ns = VerbOptions.Namespace();
        var container = new Option<string?>("--container", "-c") { Description = "Container; default is the application's", HelpName = "name" };
        var input = new Option<bool>("--stdin", "-i") { Description = "Passes standard input on" };
        var tty = new Option<bool>("--tty", "-t") { Description = "Gives the command a terminal" };
        var command = new Command("exec", "Runs a command in a pod: with its network, files and environment") { pod, words, ns, container, input, tty };
        command.SetAction((parsed, ct) => RunAsync(
            new Request(parsed.GetRequiredValue(pod), parsed.GetValue(ns)!, parsed.GetValue(container), parsed.GetRequiredValue(words), parsed.GetValue(input), parsed.GetValue(tty)),
            terminal,
            ct));
        return command;
    }

    private static async Task<int> RunAsync(Request request, Terminal terminal, CancellationToken ct)
    {
        if (request.Tty && Console.IsInputRedirected)
        {
            throw new CommandException(ExitCode.WrongUsage, "-t needs a terminal, and standard input is none.", "Leave -t out.");
        }

        var (home, _) = MeshPlace.Running();
        using var signals = new StopSignals(ct);
        using var client = MeshPlace.Connect(home);
        var pod = await PodChoice.FindAsync(client, request.Namespace, request.Pod, signals.Token);
        var target = new ExecTarget(pod.Namespace(), pod.Name(), request.Container);
        try
        {
            return await ExecuteAsync(home, target, request, signals.Token);
        }
        catch (NodeRefusedException refused)
        {
            throw new CommandException(ExitCode.Failed, refused.Message.Trim());
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        finally
        {
            await terminal.Out.FlushAsync(CancellationToken.None);
        }
    }

    private static async Task<int> ExecuteAsync(MeshHome home, ExecTarget target, Request request, CancellationToken ct)
    {
        await using var output = Console.OpenStandardOutput();
        await using var errors = Console.OpenStandardError();
        await using var input = request.Input || request.Tty ? Console.OpenStandardInput() : null;
        var node = new NodeClient(home.NodeSocket);
        if (!request.Tty)
        {
            return await node.ExecAsync(target, request.Words, input, output, errors, null, ct);
        }

        var size = new TerminalSize(Console.WindowWidth, Console.WindowHeight);
        using var resized = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => size.Resize(Console.WindowWidth, Console.WindowHeight));
        using var raw = RawTerminal.Enter();
        return await node.ExecAsync(target, request.Words, input, output, errors, size, ct);
    }

    private sealed record Request(string Pod, string Namespace, string? Container, IReadOnlyList<string> Words, bool Input, bool Tty);
}
