// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Cli.Asking;
using Weft.Cli.Output;
using Weft.Compiler.Explain;
using Weft.Model.Diagnostics;

namespace Weft.Cli.Verbs;

/// <summary><c>weft authn tls-check POD [SERVICE]</c>: what the pod speaks to each service, what that one takes, and who said so.</summary>
internal static class AuthnVerb
{
    public static Command Build(Terminal terminal)
    {
        var command = new Command("authn", "Who must prove who they are") { TlsCheck(terminal) };
        return command;
    }

    private static Command TlsCheck(Terminal terminal)
    {
        var pod = new Argument<string>("pod") { Description = "The client: POD, POD.NAMESPACE, deploy/NAME or a workload's name" };
        var service = new Argument<string?>("service") { Description = "Only this one, by its full name", Arity = ArgumentArity.ZeroOrOne };
        var files = new Option<string[]>("--file", "-f") { Description = "Ask these files or folders and not a mesh", HelpName = "path", DefaultValueFactory = _ => [] };
        var ns = VerbOptions.Namespace();
        var output = VerbOptions.Output("table", "json");
        var command = new Command("tls-check", "What a pod speaks to each service, and what that one takes") { pod, service, files, ns, output };
        command.SetAction(async (parsed, ct) =>
        {
            var from = parsed.GetRequiredValue(pod);
            var ground = parsed.GetValue(files) is { Length: > 0 } paths
                ? FileGround.Open(paths, from, parsed.GetValue(ns)!)
                : await LiveGround.OpenAsync(from, parsed.GetValue(ns)!, ct);
            return await PrintAsync(ground, parsed.GetValue(service), parsed.GetValue(output) == "json", terminal);
        });
        return command;
    }

    private static async Task<int> PrintAsync(Ground ground, string? only, bool json, Terminal terminal)
    {
        var rows = new List<(string Place, TlsMeeting Meeting)>();
        foreach (var service in ground.Services.Where(s => only is null || s.Host == only).OrderBy(s => s.Host, StringComparer.Ordinal))
        {
            foreach (var port in service.Ports)
            {
                if (await TlsMeeting.OfAsync(ground.Plan, service.Host, port, ground.ServerPlan) is { } meeting)
                {
                    rows.Add((string.Create(CultureInfo.InvariantCulture, $"{service.Host}:{port}"), meeting));
                }
            }
        }

        if (json)
        {
            await terminal.Out.WriteAsync(OutputFormat.Json(new JsonArray([.. rows.Select(row => new JsonObject
            {
                ["host"] = row.Place,
                ["status"] = Status(row.Meeting),
                ["server"] = Word(row.Meeting.TakesTls, row.Meeting.TakesPlain),
                ["client"] = row.Meeting.Client,
                ["authnPolicy"] = Name(row.Meeting.Policy, "PeerAuthentication"),
                ["destinationRule"] = Name(row.Meeting.Rule, "DestinationRule"),
            })])));
        }
        else
        {
            var table = new Table("HOST:PORT", "STATUS", "SERVER", "CLIENT", "AUTHN POLICY", "DESTINATION RULE");
            foreach (var (place, meeting) in rows)
            {
                table.Add(
                    place, Status(meeting), Word(meeting.TakesTls, meeting.TakesPlain), meeting.Client, Name(meeting.Policy, "PeerAuthentication"), Name(meeting.Rule, "DestinationRule"));
            }

            await terminal.Out.WriteAsync(table.ToString());
        }

        return rows.Exists(row => row.Meeting.IsConflict) ? ExitCode.FoundProblems : ExitCode.Fine;
    }

    private static string Status(TlsMeeting meeting) => meeting.IsConflict ? "CONFLICT" : "OK";

    private static string Word(bool tls, bool plain) => (tls, plain) switch
    {
        (true, true) => "HTTP/mTLS",
        (true, false) => "mTLS",
        (false, true) => "HTTP",
        _ => "",
    };

    /// <summary>As the old command has it: the name before the namespace.</summary>
    private static string Name(Origin? origin, string kind) => origin?.Kind == kind ? $"{origin.Name}/{origin.Namespace}" : kind == "PeerAuthentication" ? "None" : "-";
}
