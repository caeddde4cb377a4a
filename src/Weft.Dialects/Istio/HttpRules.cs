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

    /// <summary>Null for a rule that only names a delegate, which is reported.</summary>
    public static HttpRule? Read(ObjectContext context, ObjectReader rule)
    {
        var name = rule.Text("name") ?? "";
        var matches = rule.Children("match").Select(match => HttpMatches.Read(context, match)).ToEquatableArray();
        var destinations = ReadDestinations(context, rule);
        var redirect = rule.Child("redirect") is { } redirecting ? Redirects.Read(redirecting, matches) : null;
        var direct = rule.Child("directResponse") is { } answering ? DirectResponses.Read(answering) : null;
        var headers = HeaderOperations.Read(rule);
        var rewrite = WithAuthority(rule.Child(Rewrite) is { } rewriting ? Rewrites.Read(rewriting) : null, headers.Authority);
        var fault = rule.Child(Fault) is { } faulting ? Faults.Read(faulting) : null;
        var timeout = rule.DurationMs("timeout", minimumMs: 0) ?? 0;
        var retries = rule.Child("retries") is { } retrying ? RetryPolicies.Read(retrying) : null;
        CheckAction(rule);
        rule.NotSupported("delegate", "mirror", "mirrors", "mirrorPercentage", "mirrorPercent", "corsPolicy");
        rule.Finish();
        return IsDelegation(rule)
            ? null
            : new HttpRule(
                name, matches, destinations, redirect, direct, rewrite, timeout, retries, fault, headers.Request, headers.Response,
                context.Findings.At(rule.Place));
    }

    private static bool IsDelegation(ObjectReader rule) =>
        rule.Has("delegate") && !rule.Has("route") && !rule.Has("redirect") && !rule.Has("directResponse");

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

    private static EquatableArray<Destination> ReadDestinations(ObjectContext context, ObjectReader rule)
    {
        if (rule.Find("route") is { Value: Yaml.YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var readers = rule.Children("route");
        var destinations = readers.Select(route => Destinations.Read(context, route)).ToList();
        if (destinations.Count == 1)
        {
            // A single destination gets everything, whatever its weight says.
            destinations[0] = destinations[0] with { Weight = Math.Max(1, destinations[0].Weight) };
        }
        else if (destinations.Count > 1 && destinations.Sum(destination => (long)destination.Weight) == 0)
        {
            rule.Findings.Add(IstioMessages.ZeroWeights, rule.Find("route")!.Value.Place, rule.Path);
        }

        return [.. destinations];
    }

    /// <summary>Setting the host header is a rewrite of the authority; the rewrite that is written as one comes first.</summary>
    private static RewritePlan? WithAuthority(RewritePlan? rewrite, string? authority) =>
        authority is null || rewrite?.Authority is not null
            ? rewrite
            : (rewrite ?? new RewritePlan(null, null, null, null)) with { Authority = authority };
}
