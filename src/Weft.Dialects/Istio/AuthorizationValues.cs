// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Weft.Dialects.Kubernetes;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>Values of rules: <c>*</c> is presence, <c>*x</c> an end, <c>x*</c> a beginning; paths may be templates.</summary>
internal static class AuthorizationValues
{
    private const string Segment = "{*}";
    private const string Rest = "{**}";

    public static bool TryRead(
        RequestTrait attribute, string key, string text, string ns, [NotNullWhen(true)] out AttributeMatchPlan? match, out string problem)
    {
        match = null;
        problem = text.Length == 0 ? "it is empty" : attribute switch
        {
            RequestTrait.SourceAddress or RequestTrait.RemoteAddress or RequestTrait.DestinationAddress => AddressProblem(text),
            RequestTrait.DestinationPort => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
                ? "" : "a port is a number from 1 to 65535",
            RequestTrait.ServiceAccount => AccountProblem(text),
            RequestTrait.Path when text.AsSpan().ContainsAny('{', '}') => TemplateProblem(text),
            RequestTrait.TrustDomain when key.Length == 0 && text.Count(c => c == '*') > 1 => "it may hold one '*'",
            _ => "",
        };
        if (problem.Length > 0)
        {
            return false;
        }

        match = attribute switch
        {
            RequestTrait.SourceAddress or RequestTrait.RemoteAddress or RequestTrait.DestinationAddress =>
                new AttributeMatchPlan(attribute, "", AttributeMatchKind.Network, text),
            RequestTrait.DestinationPort => new AttributeMatchPlan(attribute, "", AttributeMatchKind.Exact, int.Parse(text, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)),
            RequestTrait.ServiceAccount => new AttributeMatchPlan(
                attribute, "", AttributeMatchKind.Exact, text.Contains('/', StringComparison.Ordinal) ? text : $"{ns}/{text}"),
            RequestTrait.Path when text.Contains('{', StringComparison.Ordinal) => new AttributeMatchPlan(attribute, "", AttributeMatchKind.Template, text),
            RequestTrait.Namespace or RequestTrait.TrustDomain when text[1..Math.Max(1, text.Length - 1)].Contains('*', StringComparison.Ordinal) || IsStarredTwice(text) =>
                new AttributeMatchPlan(attribute, "", AttributeMatchKind.Regex, Regex.Escape(text).Replace(@"\*", ".*", StringComparison.Ordinal)),
            _ => Compared(attribute, key, text),
        };
        return true;
    }

    private static bool IsStarredTwice(string text) => text.Length > 1 && text[0] == '*' && text[^1] == '*';

    private static AttributeMatchPlan Compared(RequestTrait attribute, string key, string text) => text switch
    {
        "*" => new AttributeMatchPlan(attribute, key, AttributeMatchKind.Present, ""),
        ['*', .. var end] => new AttributeMatchPlan(attribute, key, AttributeMatchKind.Suffix, end),
        [.. var begin, '*'] => new AttributeMatchPlan(attribute, key, AttributeMatchKind.Prefix, begin),
        _ => new AttributeMatchPlan(attribute, key, AttributeMatchKind.Exact, text),
    };

    private static string AddressProblem(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address) || (slash < 0 ? text : text[..slash]).Contains('%', StringComparison.Ordinal))
        {
            return "it must be an IP address, or a block such as 10.1.0.0/16";
        }

        var most = address.GetAddressBytes().Length * 8;
        return slash < 0 || (int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= most)
            ? "" : $"the length of a block is a number from 0 to {most}";
    }

    private static string AccountProblem(string text)
    {
        var parts = text.Split('/');
        return text.Contains('*', StringComparison.Ordinal) ? "it may not hold a '*'"
            : parts.Length > 2 || parts.Any(part => NameRules.Problem("ServiceAccount", part) is not null) ? "it must be ACCOUNT or NAMESPACE/ACCOUNT"
            : "";
    }

    /// <summary>As Envoy's templates, as far as Istio lets them through.</summary>
    private static string TemplateProblem(string text)
    {
        var rest = text.IndexOf(Rest, StringComparison.Ordinal);
        if (rest >= 0 && text[(rest + Rest.Length)..].AsSpan().ContainsAny('{', '}'))
        {
            return "nothing but text may follow {**}";
        }

        var literal = text.Replace(Rest, "", StringComparison.Ordinal).Replace(Segment, "", StringComparison.Ordinal);
        if (literal.AsSpan().ContainsAny('{', '}'))
        {
            return "only {*} and {**} may stand in braces";
        }

        if (literal.Contains('*', StringComparison.Ordinal))
        {
            return "a '*' cannot be combined with {*} or {**}";
        }

        var segments = text.Split('/');
        return text[0] != '/' ? "a template begins with '/'"
            : segments.Any(segment => segment.Contains(Segment, StringComparison.Ordinal) && segment != Segment) ? "{*} must be a whole segment"
            : segments.Any(segment => segment.Contains(Rest, StringComparison.Ordinal) && !segment.StartsWith(Rest, StringComparison.Ordinal)) ? "{**} must begin a segment"
            : "";
    }
}
