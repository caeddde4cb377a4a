// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text.Json.Nodes;
using Weft.Cli.Output;
using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;

namespace Weft.Cli.Verbs;

/// <summary><c>weft explain ID</c>: the longer text of a numbered message.</summary>
internal static class ExplainVerb
{
    public static Command Build(Terminal terminal)
    {
        var id = new Argument<string>("id") { Description = "For example WEFT0001" };
        var output = VerbOptions.Output("text", "json");
        var command = new Command("explain", "What a numbered message means and what to do about it") { id, output };
        command.SetAction(parsed => Explain(parsed.GetRequiredValue(id), parsed.GetValue(output) == "json", terminal));
        return command;
    }

    private static int Explain(string id, bool json, Terminal terminal)
    {
        var name = id.ToUpperInvariant();
        var message = DiagnosticCatalog.All.FirstOrDefault(candidate => candidate.Id == name);
        if (message is null)
        {
            var near = NearestName.Of(name, DiagnosticCatalog.All.Select(candidate => candidate.Id));
            throw new CommandException(ExitCode.WrongUsage, $"No message has the number '{id}'.", near is null ? null : $"Did you mean '{near}'?");
        }

        terminal.Out.Write(json ? OutputFormat.Json(ToJson(message)) : ToText(message, terminal));
        return ExitCode.Fine;
    }

    private static string ToText(DiagnosticMessage message, Terminal terminal)
    {
        var cure = message.Cure is null ? "" : $"  {message.Cure}\n";
        return $"{terminal.Bold(message.Id)}  {message.Severity.ToString().ToLowerInvariant()}\n\n  {message.Fact}\n{cure}\n{message.Help}\n";
    }

    private static JsonObject ToJson(DiagnosticMessage message) => new()
    {
        ["id"] = message.Id,
        ["severity"] = message.Severity.ToString().ToLowerInvariant(),
        ["fact"] = message.Fact,
        ["cure"] = message.Cure,
        ["help"] = message.Help,
    };
}
