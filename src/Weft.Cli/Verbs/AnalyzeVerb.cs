// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Applying;
using Weft.Cli.Asking;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Control.Analysis;
using Weft.Dialects;
using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;

namespace Weft.Cli.Verbs;

/// <summary><c>weft analyze [FILES]</c>: what is wrong with a mesh, with files, or with a mesh if files were applied to it.</summary>
internal static class AnalyzeVerb
{
    private static readonly string[] _levels = ["Error", "Warning", "Info"];

    public static Command Build(Terminal terminal)
    {
        var files = new Argument<string[]>("files") { Description = "Files or folders, - for standard input: as if they were applied", Arity = ArgumentArity.ZeroOrMore };
        var ns = new Option<string>("--namespace", "-n") { Description = "Only findings about this namespace", HelpName = "name", DefaultValueFactory = _ => "default" };
        var all = new Option<bool>("--all-namespaces", "-A") { Description = "Findings about every namespace" };
        var useKube = new Option<bool>("--use-kube", "-k") { Description = "Also look at the running mesh", HelpName = "true|false", DefaultValueFactory = _ => true };
        var recursive = new Option<bool>("--recursive", "-R") { Description = "Folders are always read with all that is below them" };
        var failure = Level("--failure-threshold", "The level that makes the command fail", "Error");
        var least = Level("--output-threshold", "The least level that is shown", "Info");
        var suppress = new Option<string[]>("--suppress", "-S") { Description = "Findings to leave out, as 'IST0103=Pod *.testing'", HelpName = "code=object", DefaultValueFactory = _ => [] };
        var list = new Option<bool>("--list-analyzers", "-L") { Description = "What is looked for" };
        var only = new Option<string[]>("--analyzer") { Description = "Run only this one; may be given several times", HelpName = "name", DefaultValueFactory = _ => [] };
        var output = VerbOptions.Output("log", "json", "yaml");
        var command = new Command("analyze", "What is wrong with a mesh, with files, or with both together")
        {
            files, ns, all, useKube, recursive, failure, least, suppress, list, only, output,
        };
        command.SetAction((parsed, ct) => parsed.GetValue(list)
            ? Task.FromResult(List(terminal))
            : RunAsync(
                new Request(
                    parsed.GetValue(files) ?? [],
                    parsed.GetValue(all) ? null : parsed.GetValue(ns)!,
                    parsed.GetResult(ns) is { Implicit: false },
                    parsed.GetValue(useKube),
                    Enum.Parse<Severity>(parsed.GetValue(failure)!),
                    Enum.Parse<Severity>(parsed.GetValue(least)!),
                    [.. parsed.GetValue(suppress)!.Select(Suppression.Read)],
                    [.. parsed.GetValue(only)!.Select(Named)],
                    parsed.GetValue(output)!),
                terminal,
                ct));
        return command;
    }

    private static Option<string> Level(string name, string description, string level)
    {
        var option = new Option<string>(name) { Description = $"{description}: {string.Join(", ", _levels)}", HelpName = "level", DefaultValueFactory = _ => level };
        option.AcceptOnlyFromAmong(_levels);
        return option;
    }

    private static string Named(string name) => Analyzers.All.Any(a => a.Name == name)
        ? name
        : throw new CommandException(
            ExitCode.WrongUsage,
            $"There is no analyzer '{name}'.",
            NearestName.Of(name, Analyzers.All.Select(a => a.Name)) is { } near ? $"Did you mean '{near}'?" : "See  weft analyze --list-analyzers");

    private static int List(Terminal terminal)
    {
        var table = new Table("ANALYZER", "LOOKS FOR");
        foreach (var analyzer in Analyzers.All)
        {
            table.Add(analyzer.Name, analyzer.Summary);
        }

        terminal.Out.Write(table);
        return ExitCode.Fine;
    }

    private static async Task<int> RunAsync(Request request, Terminal terminal, CancellationToken ct)
    {
        if (!request.UseKube && request.Files.Length == 0)
        {
            throw new CommandException(ExitCode.WrongUsage, "Neither files nor a mesh to look at.", "Name files, or leave --use-kube=false away.");
        }

        var objects = request.UseKube ? await LiveAsync(ct) : [];
        var unreadable = new List<Diagnostic>();
        foreach (var file in request.Files.Length == 0 ? [] : ManifestFiles.Find(request.Files))
        {
            foreach (var read in ManifestFiles.Read(file).Objects)
            {
                objects.Add(read);

                // Text that is no object has no analyzers; it is told as what it is.
                unreadable.AddRange(read.Kind is null && read.Origin.Kind.Length == 0 ? read.Diagnostics.Where(d => d.Severity == Severity.Error) : []);
            }
        }

        var drawn = DrawnMesh.Of(objects);
        var input = new AnalysisInput(drawn.Objects.Where(o => o.Kind is not null || o.Diagnostics.Count > 0).Select(o => new AnalysisSubject(o)), drawn.State.Snapshot());
        var found = Analyzers.Run(input, request.Analyzers).Where(d => IsShown(d, request) && !unreadable.Contains(d) && !request.Suppressions.Any(s => s.Covers(d)));
        return Print(new AnalysisReport(found, request.Least), unreadable, request, terminal);
    }

    private static async Task<List<ParsedObject>> LiveAsync(CancellationToken ct)
    {
        try
        {
            var (home, _) = MeshPlace.Running();
            using var client = MeshPlace.Connect(home);
            return await LiveObjects.ReadAsync(client, ct);
        }
        catch (CommandException none) when (none.ExitCode == ExitCode.NoMesh)
        {
            throw new CommandException(ExitCode.NoMesh, none.Message, "Without a mesh:  weft analyze --use-kube=false FILES");
        }
    }

    /// <summary>Files are shown whatever their namespace, unless one is asked for.</summary>
    private static bool IsShown(Diagnostic finding, Request request) =>
        request.Namespace is null
        || (request.Files.Length > 0 && !request.NamespaceSaid && finding.Origin.Position.Line > 0)
        || (finding.Origin.Namespace.Length == 0 ? finding.Origin.Kind != "Namespace" || finding.Origin.Name == request.Namespace || finding.Origin.Position.Line > 0 : finding.Origin.Namespace == request.Namespace);

    private static int Print(AnalysisReport report, List<Diagnostic> unreadable, Request request, Terminal terminal)
    {
        terminal.Out.Write(request.Output switch
        {
            "json" => OutputFormat.Json(report.ToJson()),
            "yaml" => YamlText.Write(report.ToJson()),
            _ => report.ToLog(terminal),
        });
        foreach (var problem in unreadable)
        {
            terminal.Fail($"This cannot be read: {problem}", null);
        }

        var what = request.Files.Length > 0 ? string.Join(", ", request.Files) : request.Namespace is { } ns ? $"namespace: {ns}" : "all namespaces";
        if (report.Reaches(request.Failure))
        {
            terminal.Fail($"Analyzers found issues when analyzing {what}.", "weft explain CODE says what each means.");
            return ExitCode.AnalyzersFound;
        }

        if (unreadable.Count > 0)
        {
            return ExitCode.UnreadableInput;
        }

        if (report.Count == 0)
        {
            terminal.Say($"{terminal.Ok} No validation issues found when analyzing {what}.");
        }

        return ExitCode.Fine;
    }

    private sealed record Request(
        string[] Files,
        string? Namespace,
        bool NamespaceSaid,
        bool UseKube,
        Severity Failure,
        Severity Least,
        IReadOnlyList<Suppression> Suppressions,
        IReadOnlyList<string> Analyzers,
        string Output);
}
