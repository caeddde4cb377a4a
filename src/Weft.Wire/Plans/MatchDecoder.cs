// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Route.V3;
using Envoy.Type.Matcher.V3;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>RouteMatch → route match plan.</summary>
internal static class MatchDecoder
{
    public static RouteMatchPlan Decode(DecodeScope scope, RouteMatch? match)
    {
        using var at = scope.At("match");
        if (match is null)
        {
            scope.Error("is missing");
            return RouteMatchPlan.Everything;
        }

        var ignoreCase = match.CaseSensitive == false;
        var path = match.PathSpecifierCase switch
        {
            RouteMatch.PathSpecifierOneofCase.Prefix => new TextMatchPlan(TextMatchKind.Prefix, match.Prefix, false, ignoreCase),
            RouteMatch.PathSpecifierOneofCase.Path => new TextMatchPlan(TextMatchKind.Exact, match.Path, false, ignoreCase),
            RouteMatch.PathSpecifierOneofCase.SafeRegex =>
                new TextMatchPlan(TextMatchKind.Regex, scope.Regex(match.SafeRegex), false, ignoreCase),
            RouteMatch.PathSpecifierOneofCase.ConnectMatcher => RouteMatchPlan.Everything.Path,
            _ => null,
        };
        if (path is null)
        {
            scope.Error("no supported path condition: prefix, path, safe_regex or connect_matcher");
            path = RouteMatchPlan.Everything.Path;
        }

        var headers = new NamedMatchPlan[match.Headers.Count];
        for (var i = 0; i < headers.Length; i++)
        {
            using var step = scope.At("headers", i);
            headers[i] = DecodeHeader(scope, match.Headers[i]);
        }

        var parameters = new NamedMatchPlan[match.QueryParameters.Count];
        for (var i = 0; i < parameters.Length; i++)
        {
            using var step = scope.At("query_parameters", i);
            parameters[i] = DecodeQuery(scope, match.QueryParameters[i]);
        }

        return new RouteMatchPlan(path, headers.ToEquatableArray(), parameters.ToEquatableArray())
        {
            Connect = match.PathSpecifierCase == RouteMatch.PathSpecifierOneofCase.ConnectMatcher,
        };
    }

    public static NamedMatchPlan DecodeHeader(DecodeScope scope, HeaderMatcher matcher)
    {
        if (matcher.Name.Length == 0)
        {
            scope.Error("a header condition must name a header");
        }

        // An unset condition means "is there"; present_match false is its opposite.
        var text = matcher.HeaderMatchSpecifierCase == HeaderMatcher.HeaderMatchSpecifierOneofCase.StringMatch
            ? Text(scope, matcher.StringMatch, matcher.InvertMatch)
            : new TextMatchPlan(
                TextMatchKind.Present, "", matcher.InvertMatch ^ (matcher.HasPresentMatch && !matcher.PresentMatch));
        if (text is { Kind: not TextMatchKind.Present, Invert: true } && !matcher.TreatMissingHeaderAsEmpty)
        {
            scope.Warn("a missing header counts as an empty one in an inverted condition");
        }

        return new NamedMatchPlan(matcher.Name, text);
    }

    public static NamedMatchPlan DecodeQuery(DecodeScope scope, QueryParameterMatcher parameter) => new(
        parameter.Name,
        parameter.QueryParameterMatchSpecifierCase == QueryParameterMatcher.QueryParameterMatchSpecifierOneofCase.StringMatch
            ? Text(scope, parameter.StringMatch, false)
            : new TextMatchPlan(TextMatchKind.Present, ""));

    public static TextMatchPlan Text(DecodeScope scope, StringMatcher? matcher, bool invert)
    {
        var ignoreCase = matcher?.IgnoreCase ?? false;
        switch (matcher?.MatchPatternCase)
        {
            case StringMatcher.MatchPatternOneofCase.Exact:
                return new TextMatchPlan(TextMatchKind.Exact, matcher.Exact, invert, ignoreCase);
            case StringMatcher.MatchPatternOneofCase.Prefix:
                return new TextMatchPlan(TextMatchKind.Prefix, matcher.Prefix, invert, ignoreCase);
            case StringMatcher.MatchPatternOneofCase.Suffix:
                return new TextMatchPlan(TextMatchKind.Suffix, matcher.Suffix, invert, ignoreCase);
            case StringMatcher.MatchPatternOneofCase.SafeRegex:
                return new TextMatchPlan(TextMatchKind.Regex, scope.Regex(matcher.SafeRegex), invert, ignoreCase);
            default:
                scope.Error("no supported text condition: exact, prefix, suffix or safe_regex");
                return new TextMatchPlan(TextMatchKind.Present, "", invert);
        }
    }
}
