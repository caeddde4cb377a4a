// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Cli.Asking;
using Weft.Cli.Output;
using Weft.Compiler.Explain;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Cli.Verbs;

/// <summary><c>weft why FROM TO</c>: each decision about a request, with the object and the place that made it.</summary>
internal static class WhyVerb
{
    private const int StepWidth = 16;
    private const int FactWidth = 44;

    public static Command Build(Terminal terminal)
    {
        var from = new Argument<string>("from") { Description = "The client, or the gateway that a client from outside calls: POD, POD.NAMESPACE, deploy/NAME or a workload's name" };
        var to = new Argument<string>("to") { Description = "Whom it calls: reviews, reviews.shop, reviews:9080 or a URL" };
        var method = new Argument<string?>("method") { Description = "GET by default", Arity = ArgumentArity.ZeroOrOne };
        var path = new Argument<string?>("path") { Description = "/ by default; with its query", Arity = ArgumentArity.ZeroOrOne };
        var headers = new Option<string[]>("--header", "-H") { Description = "A header, as curl takes it", HelpName = "name: value", DefaultValueFactory = _ => [] };
        var files = new Option<string[]>("--file", "-f") { Description = "Ask these files or folders and not a mesh", HelpName = "path", DefaultValueFactory = _ => [] };
        var ns = VerbOptions.Namespace();
        var output = VerbOptions.Output("text", "json");
        var command = new Command("why", "Each decision about a request, and the object that made it") { from, to, method, path, headers, files, ns, output };
        command.SetAction(async (parsed, ct) =>
        {
            var question = Question.Read(
                parsed.GetRequiredValue(from), parsed.GetRequiredValue(to), parsed.GetValue(method), parsed.GetValue(path), parsed.GetValue(headers)!);
            var ground = parsed.GetValue(files) is { Length: > 0 } paths
                ? FileGround.Open(paths, question.From, parsed.GetValue(ns)!)
                : await LiveGround.OpenAsync(question.From, parsed.GetValue(ns)!, ct);
            return await AnswerAsync(question, ground, parsed.GetValue(output) == "json", terminal);
        });
        return command;
    }

    private static async Task<int> AnswerAsync(Question question, Ground ground, bool json, Terminal terminal)
    {
        var (service, request) = ground.Place(question);
        var walk = PlanWalk.Explain(ground.Plan, request);
        var reasons = walk.Reasons.ToList();
        var (closed, denied) = await AskServersAsync(walk, ground, request, reasons);
        var refused = walk.IsRefused(ground.Plan) || closed || denied is not null;
        var answer = denied is null ? Verdict(walk, ground.Plan, closed) : Denied(walk, denied);
        var callee = string.Create(CultureInfo.InvariantCulture, $"{service?.Host ?? question.Host}:{request.Port}");
        await terminal.Out.WriteAsync(json
            ? OutputFormat.Json(new JsonObject
            {
                ["client"] = ground.Client,
                ["identity"] = ground.Identity,
                ["request"] = new JsonObject { ["to"] = callee, ["address"] = request.Address, ["authority"] = request.Authority, ["method"] = request.Method, ["path"] = request.Path },
                ["reasons"] = new JsonArray([.. reasons.Select(ToJson)]),
                ["answer"] = answer,
                ["refused"] = refused,
                ["note"] = ground.Note,
            })
            : $"{terminal.Bold(ground.Client)} ({ground.Identity})  →  {terminal.Bold(callee)}  {(question.Tls ? "TLS" : $"{request.Method} {request.Path}")}\n"
                + Lines(reasons, terminal) + $"Answer: {answer}\n");
        if (ground.Note is { } note)
        {
            terminal.Say($"{terminal.Warning} {note}");
        }

        return refused ? ExitCode.FoundProblems : ExitCode.Fine;
    }

    private static string Denied(PlanWalk walk, string denied) =>
        walk.Chain?.Http is null ? $"closed: {denied}" : $"403 (RBAC: access denied): {denied}";

    /// <summary>What the first endpoint of each cluster does with the connection and the request; whether all that there are close it, or refuse it.</summary>
    private static async Task<(bool Closed, string? Denied)> AskServersAsync(PlanWalk walk, Ground ground, RequestDescription request, List<Reason> reasons)
    {
        var asked = new List<ServerWalk>();
        foreach (var cluster in walk.Clusters.ToList())
        {
            var endpoint = PlanWalk.EndpointsOf(ground.Plan, cluster).FirstOrDefault(e => e.Healthy);
            if (endpoint is null || await ground.ServerPlan(string.Create(CultureInfo.InvariantCulture, $"{endpoint.Address}:{endpoint.Port}")) is not { } plan)
            {
                continue;
            }

            var mutual = cluster.Tls?.Mode == UpstreamTlsMode.Mutual || (cluster.Tls?.Mode == UpstreamTlsMode.Auto && endpoint.Meshed);
            var server = ServerWalk.Explain(plan, mutual, new AccessQuestion(ground.Identity, ground.Address, endpoint.Port, request.Tls ? null : request));
            reasons.Add(server.Reason with { Fact = string.Create(CultureInfo.InvariantCulture, $"at {endpoint.Address}:{endpoint.Port}: {server.Reason.Fact}") });
            reasons.AddRange(server.Access?.Reasons ?? []);
            asked.Add(server);
        }

        return (
            asked.Count > 0 && asked.TrueForAll(server => !server.IsTaken),
            asked.Count > 0 && asked.TrueForAll(server => server.Access?.Refusal is not null) ? asked[0].Access!.Refusal : null);
    }

    private static string Verdict(PlanWalk walk, ProxyPlan plan, bool closed)
    {
        if (walk.Chain is null)
        {
            return "none, the connection is closed (flag NR)";
        }

        if (walk.Chain.Http is not null && walk.Route is null)
        {
            return "404 (flag NR): nothing routes this request";
        }

        if (walk.Route is { Forward: null } route)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{route.Redirect?.Code ?? route.Direct!.Status}, by {(PlanWalk.IsGateway(plan) ? "the gateway" : "the client's own proxy")}");
        }

        if (walk.Clusters.Any(c => c.Kind == ClusterKind.OriginalDestination))
        {
            return "by the address that the client asked for, outside the mesh's routes";
        }

        var ready = walk.Clusters.Sum(c => PlanWalk.EndpointsOf(plan, c).Count(e => e.Healthy));
        if (ready == 0)
        {
            return walk.Clusters.Count == 0 ? "503 (flag NC): the cluster does not exist" : "503 (flag UH): no endpoint is ready";
        }

        if (closed)
        {
            return "503 (flag UC): the server's proxy closes the connection";
        }

        var lost = walk.Missing.Count + walk.Clusters.Count(c => !PlanWalk.EndpointsOf(plan, c).Any(e => e.Healthy));
        return string.Create(CultureInfo.InvariantCulture, $"by one of {ready} endpoint{(ready == 1 ? "" : "s")}{(lost == 0 ? "" : $"; the share of {lost} of the destinations is answered 503")}");
    }

    /// <summary>Endpoints are no decisions: they stand below theirs and have no number.</summary>
    private static string Lines(List<Reason> reasons, Terminal terminal)
    {
        var text = new System.Text.StringBuilder();
        var number = 0;
        foreach (var reason in reasons)
        {
            number += reason.Step is "endpoint" ? 0 : 1;
            text.Append(Line(number, reason, terminal));
        }

        return text.ToString();
    }

    private static string Line(int number, Reason reason, Terminal terminal)
    {
        var origin = reason.Origin is null || reason.Origin == Origin.BuiltIn ? "" : Where(reason.Origin);
        var step = reason.Step is "endpoint" ? "" : reason.Step;
        var count = reason.Step is "endpoint" ? "    " : number.ToString(CultureInfo.InvariantCulture).PadLeft(4);
        return $"{count} {step.PadRight(StepWidth)} {(origin.Length == 0 ? reason.Fact : reason.Fact.PadRight(FactWidth))}{(origin.Length == 0 ? "" : "  " + terminal.Dim(origin))}\n";
    }

    /// <summary>The object by name, and the line or the field that decided.</summary>
    private static string Where(Origin origin)
    {
        var name = $"{origin.Kind}/{(origin.Namespace.Length == 0 ? "" : origin.Namespace + "/")}{origin.Name}";
        var place = origin.Position.Line > 0 ? origin.Position.ToString() : origin.Path;
        return $"{name} {place}".TrimEnd();
    }

    private static JsonObject ToJson(Reason reason)
    {
        var origin = reason.Origin == Origin.BuiltIn ? null : reason.Origin;
        return new JsonObject
        {
            ["step"] = reason.Step,
            ["fact"] = reason.Fact,
            ["kind"] = origin?.Kind,
            ["namespace"] = origin?.Namespace,
            ["name"] = origin?.Name,
            ["path"] = origin?.Path,
            ["file"] = origin?.Position.File,
            ["line"] = origin?.Position.Line,
            ["column"] = origin?.Position.Column,
        };
    }
}
