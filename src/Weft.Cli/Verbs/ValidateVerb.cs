// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text.Json.Nodes;
using Weft.Cli.Applying;
using Weft.Cli.Output;
using Weft.Model.Diagnostics;

namespace Weft.Cli.Verbs;

/// <summary><c>weft validate FILES</c>: everything that is wrong with the files, without a mesh.</summary>
internal static class ValidateVerb
{
    public static Command Build(Terminal terminal)
    {
        var files = new Argument<string[]>("files") { Description = "Files or folders; - reads standard input", Arity = ArgumentArity.OneOrMore };
        var output = VerbOptions.Output("text", "json");
        var command = new Command("validate", "Everything that is wrong with files, before anything is applied") { files, output };
        command.SetAction(parsed => Validate(parsed.GetRequiredValue(files), parsed.GetValue(output) == "json", terminal));
        return command;
    }

    private static int Validate(string[] paths, bool json, Terminal terminal)
    {
        var objects = 0;
        var found = new List<Diagnostic>();
        foreach (var file in ManifestFiles.Find(paths))
        {
            var parsed = ManifestFiles.Read(file);
            objects += parsed.Objects.Count(read => read.Root is not null);
            found.AddRange(parsed.Diagnostics);
        }

        var errors = found.Count(diagnostic => diagnostic.Severity == Severity.Error);
        var warnings = found.Count(diagnostic => diagnostic.Severity == Severity.Warning);
        if (json)
        {
            terminal.Out.Write(OutputFormat.Json(new JsonObject
            {
                ["objects"] = objects,
                ["errors"] = errors,
                ["warnings"] = warnings,
                ["diagnostics"] = new JsonArray([.. found.Select(ToJson)]),
            }));
        }
        else
        {
            foreach (var diagnostic in found)
            {
                terminal.Out.Write(diagnostic + "\n");
            }

            terminal.Say($"{(errors == 0 ? terminal.Ok : terminal.Bad)} {Count(objects, "object")}, {Count(errors, "error")}, {Count(warnings, "warning")}");
        }

        return errors == 0 ? ExitCode.Fine : ExitCode.FoundProblems;
    }

    private static string Count(int number, string noun) => $"{number} {noun}{(number == 1 ? "" : "s")}";

    private static JsonObject ToJson(Diagnostic diagnostic) => new()
    {
        ["id"] = diagnostic.Id,
        ["severity"] = diagnostic.Severity.ToString().ToLowerInvariant(),
        ["file"] = diagnostic.Origin.Position.File,
        ["line"] = diagnostic.Origin.Position.Line,
        ["column"] = diagnostic.Origin.Position.Column,
        ["path"] = diagnostic.Origin.Path,
        ["kind"] = diagnostic.Origin.Kind,
        ["namespace"] = diagnostic.Origin.Namespace,
        ["name"] = diagnostic.Origin.Name,
        ["fact"] = diagnostic.Fact,
        ["cure"] = diagnostic.Cure,
    };
}
