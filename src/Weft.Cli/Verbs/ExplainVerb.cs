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
        var id = new Argument<string>("id") { Description = "For example WEFT0001, or Istio's IST0101" };
        var output = VerbOptions.Output("text", "json");
        var command = new Command("explain", "What a numbered message means and what to do about it") { id, output };
        command.SetAction(parsed => Explain(parsed.GetRequiredValue(id), parsed.GetValue(output) == "json", terminal));
        return command;
    }

    private static int Explain(string id, bool json, Terminal terminal)
    {
        var name = id.ToUpperInvariant();
        if (IstioCodes.All.Contains(name, StringComparer.Ordinal))
        {
            return ExplainIstio(name, json, terminal);
        }

        var message = DiagnosticCatalog.All.FirstOrDefault(candidate => candidate.Id == name);
        if (message is null)
        {
            var near = NearestName.Of(name, DiagnosticCatalog.All.Select(candidate => candidate.Id).Concat(IstioCodes.All));
            throw new CommandException(ExitCode.WrongUsage, $"No message has the number '{id}'.", near is null ? null : $"Did you mean '{near}'?");
        }

        terminal.Out.Write(json ? OutputFormat.Json(ToJson(message)) : ToText(message, terminal));
        return ExitCode.Fine;
    }

    /// <summary>Several messages may have one code of Istio's; two codes stand for whatever reading finds.</summary>
    private static int ExplainIstio(string code, bool json, Terminal terminal)
    {
        var messages = DiagnosticCatalog.All.Where(m => m.Istio == code).ToList();
        if (json)
        {
            terminal.Out.Write(OutputFormat.Json(new JsonObject
            {
                ["id"] = code,
                ["name"] = IstioCodes.NameOf(code),
                ["messages"] = new JsonArray([.. messages.Select(ToJson)]),
            }));
            return ExitCode.Fine;
        }

        var head = $"{terminal.Bold(code)}  {IstioCodes.NameOf(code)}, as Istio's analyzers call it\n\n";
        terminal.Out.Write(head + (messages.Count == 0
            ? "  A field or a value of an object of Istio is not valid. The text names the message's own number, WEFT0xxx or WEFT2xxx.\n"
            : string.Join('\n', messages.Select(m => ToText(m, terminal)))));
        return ExitCode.Fine;
    }

    private static string ToText(DiagnosticMessage message, Terminal terminal)
    {
        var cure = message.Cure is null ? "" : $"  {message.Cure}\n";
        return $"{terminal.Bold(message.Id)}  {message.Severity.ToString().ToLowerInvariant()}{(message.Istio is null ? "" : $"  ({message.Istio} {IstioCodes.NameOf(message.Istio)})")}\n\n  {message.Fact}\n{cure}\n{message.Help}\n";
    }

    private static JsonObject ToJson(DiagnosticMessage message) => new()
    {
        ["id"] = message.Id,
        ["severity"] = message.Severity.ToString().ToLowerInvariant(),
        ["istio"] = message.Istio,
        ["fact"] = message.Fact,
        ["cure"] = message.Cure,
        ["help"] = message.Help,
    };
}
