// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Route match plan → RouteMatch. What xDS cannot say is refused here by name, never bent.</summary>
internal static class MatchEncoder
{
    public static RouteMatch Encode(RouteMatchPlan plan)
    {
        var match = new RouteMatch();
        switch (plan.Path)
        {
            case var _ when plan.Connect:
                match.ConnectMatcher = new RouteMatch.Types.ConnectMatcher();
                break;
            case { Kind: TextMatchKind.Prefix, Invert: false } path:
                match.Prefix = path.Value;
                break;
            case { Kind: TextMatchKind.Exact, Invert: false } path:
                match.Path = path.Value;
                break;
            case { Kind: TextMatchKind.Regex, Invert: false } path:
                match.SafeRegex = Regex(path.Value);
                break;
            default:
                throw new ArgumentException($"a path cannot be matched by {plan.Path}", nameof(plan));
        }

        match.CaseSensitive = plan.Path.IgnoreCase && !plan.Connect ? false : null;
        foreach (var header in plan.Headers)
        {
            match.Headers.Add(EncodeHeader(header));
        }

        foreach (var parameter in plan.QueryParameters)
        {
            match.QueryParameters.Add(EncodeQuery(parameter));
        }

        return match;
    }

    public static RegexMatcher Regex(string pattern) =>
        new() { GoogleRe2 = new RegexMatcher.Types.GoogleRE2(), Regex = pattern };

    public static HeaderMatcher EncodeHeader(NamedMatchPlan plan)
    {
        var matcher = new HeaderMatcher { Name = plan.Name, InvertMatch = plan.Text.Invert };
        if (plan.Text.Kind == TextMatchKind.Present)
        {
            matcher.PresentMatch = true;
        }
        else
        {
            matcher.StringMatch = EncodeText(plan.Text);
            matcher.TreatMissingHeaderAsEmpty = plan.Text.Invert;
        }

        return matcher;
    }

    public static QueryParameterMatcher EncodeQuery(NamedMatchPlan plan)
    {
        if (plan.Text.Invert)
        {
            throw new ArgumentException($"a condition on query parameter {plan.Name} cannot be inverted", nameof(plan));
        }

        return plan.Text.Kind == TextMatchKind.Present
            ? new QueryParameterMatcher { Name = plan.Name, PresentMatch = true }
            : new QueryParameterMatcher { Name = plan.Name, StringMatch = EncodeText(plan.Text) };
    }

    public static StringMatcher EncodeText(TextMatchPlan plan)
    {
        var matcher = new StringMatcher { IgnoreCase = plan.IgnoreCase };
        switch (plan.Kind)
        {
            case TextMatchKind.Exact:
                matcher.Exact = plan.Value;
                break;
            case TextMatchKind.Prefix:
                matcher.Prefix = plan.Value;
                break;
            case TextMatchKind.Suffix:
                matcher.Suffix = plan.Value;
                break;
            default:
                matcher.SafeRegex = Regex(plan.Value);
                break;
        }

        return matcher;
    }
}
