// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>One entry of http: matches, one action, and what is done on the way.</summary>
internal static class HttpRules
{
    private const string Rewrite = "rewrite";
    private const string Fault = "fault";

    public static HttpRule Read(ObjectContext context, ObjectReader rule)
    {
        var name = rule.Text("name") ?? "";
        var matches = rule.Children("match").Select(match => HttpMatches.Read(context, match)).ToEquatableArray();
        if (rule.Find("route") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var destinations = Destinations.ReadAll(rule, route => Destinations.Read(context, route));
        var redirect = rule.Child("redirect") is { } redirecting ? Redirects.Read(redirecting, matches) : null;
        var direct = rule.Child("directResponse") is { } answering ? DirectResponses.Read(answering) : null;
        var headers = HeaderOperations.Read(rule);
        var rewrite = WithAuthority(rule.Child(Rewrite) is { } rewriting ? Rewrites.Read(rewriting) : null, headers.Authority);
        var fault = rule.Child(Fault) is { } faulting ? Faults.Read(faulting) : null;
        var timeout = rule.DurationMs("timeout", minimumMs: 0) ?? 0;
        var retries = rule.Child("retries") is { } retrying ? RetryPolicies.Read(retrying) : null;
        var delegation = rule.Child("delegate") is { } delegating ? ReadDelegate(context, delegating) : null;
        CheckAction(rule);
        var mirrors = Mirrors.Read(context, rule);
        var cors = rule.Child("corsPolicy") is { } sharing ? CorsPolicies.Read(sharing) : null;
        rule.Finish();
        return new HttpRule(
            name, matches, destinations, redirect, direct, rewrite, timeout, retries, fault, headers.Request, headers.Response,
            context.Findings.At(rule.Place))
        {
            Delegate = delegation,
            Mirrors = mirrors,
            Cors = cors,
        };
    }

    private static DelegateName? ReadDelegate(ObjectContext context, ObjectReader reader)
    {
        var name = reader.RequiredText("name");
        var ns = reader.NonEmptyText("namespace") ?? context.Metadata.Namespace;
        reader.Finish();
        return name is null ? null : new DelegateName(ns, name);
    }

    private static void CheckAction(ObjectReader rule)
    {
        rule.Exclusive("route", "redirect", "directResponse", "delegate");
        if (!rule.Has("route") && !rule.Has("redirect") && !rule.Has("directResponse") && !rule.Has("delegate"))
        {
            rule.Findings.Add(IstioMessages.MissingAction, rule.Place, rule.Path);
        }

        Refuse(rule, Rewrite, "redirect");
        Refuse(rule, Rewrite, "directResponse");
        Refuse(rule, Fault, "redirect");
    }

    private static void Refuse(ObjectReader rule, string name, string action)
    {
        if (rule.Has(action) && rule.Find(name) is { } field)
        {
            rule.Findings.Add(IstioMessages.FieldNotWithAction, field.KeyPlace, field.Path, action);
        }
    }

    /// <summary>Setting the host header is a rewrite of the authority; the rewrite that is written as one comes first.</summary>
    private static RewritePlan? WithAuthority(RewritePlan? rewrite, string? authority) =>
        authority is null || rewrite?.Authority is not null
            ? rewrite
            : (rewrite ?? new RewritePlan(null, null, null, null)) with { Authority = authority };
}
