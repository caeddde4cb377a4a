// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Compiler.Explain;

/// <summary>How virtual hosts and routes are chosen; the plain form of what the proxy does on its hot path.</summary>
internal static class RequestMatch
{
    /// <summary>Exact domain, then the longest suffix wildcard, then the longest prefix wildcard, then <c>*</c>.</summary>
    public static VirtualHostPlan? FindHost(RouteTablePlan table, string authority)
    {
        VirtualHostPlan? best = null;
        var rank = -1;
        foreach (var host in table.VirtualHosts)
        {
            foreach (var domain in host.Domains)
            {
                var found = Rank(domain, authority);
                if (found > rank)
                {
                    (best, rank) = (host, found);
                }
            }
        }

        return best;
    }

    public static bool Matches(RouteMatchPlan match, RequestDescription request)
    {
        var question = request.Path.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? request.Path : request.Path[..question];
        var query = question < 0 ? "" : request.Path[(question + 1)..];
        return match.Connect == (request.Method == "CONNECT") && Matches(match.Path, path) &&
            match.Headers.All(h => MatchesNamed(h.Text, Header(request, h.Name))) &&
            match.QueryParameters.All(p => MatchesNamed(p.Text, Parameter(query, p.Name)));
    }

    private static int Rank(string domain, string authority)
    {
        const int ExactRank = 30_000;
        const int SuffixRank = 20_000;
        const int PrefixRank = 10_000;
        if (string.Equals(domain, authority, StringComparison.OrdinalIgnoreCase))
        {
            return ExactRank;
        }

        if (domain == "*")
        {
            return 0;
        }

        if (domain.StartsWith('*') && authority.Length >= domain.Length &&
            authority.EndsWith(domain[1..], StringComparison.OrdinalIgnoreCase))
        {
            return SuffixRank + domain.Length;
        }

        return domain.EndsWith('*') && authority.Length >= domain.Length &&
            authority.StartsWith(domain[..^1], StringComparison.OrdinalIgnoreCase)
            ? PrefixRank + domain.Length
            : -1;
    }

    private static bool MatchesNamed(TextMatchPlan match, string? value) => match.Kind == TextMatchKind.Present
        ? value is not null != match.Invert
        : value is null ? match.Invert && Matches(match, "") : Matches(match, value);

    private static bool Matches(TextMatchPlan match, string value)
    {
        var comparison = match.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        var holds = match.Kind switch
        {
            TextMatchKind.Exact => string.Equals(value, match.Value, comparison),
            TextMatchKind.Prefix => value.StartsWith(match.Value, comparison),
            TextMatchKind.Suffix => value.EndsWith(match.Value, comparison),
            TextMatchKind.Regex => Re2.TryCompile(match.Value, wholeText: true, out var regex, out _) && regex.IsMatch(value),
            _ => true,
        };
        return holds != match.Invert;
    }

    private static string? Header(RequestDescription request, string name)
    {
        switch (name)
        {
            case ":authority" or "host":
                return request.Authority;
            case ":method":
                return request.Method;
            case ":path":
                return request.Path;
            case ":scheme":
                return request.Tls ? "https" : "http";
            default:
                var values = request.Headers.Where(h => string.Equals(h.Name, name, StringComparison.OrdinalIgnoreCase))
                    .Select(h => h.Value).ToList();
                return values.Count == 0 ? null : string.Join(',', values);
        }
    }

    private static string? Parameter(string query, string name)
    {
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (Uri.UnescapeDataString(equals < 0 ? pair : pair[..equals]) == name)
            {
                return equals < 0 ? "" : Uri.UnescapeDataString(pair[(equals + 1)..]);
            }
        }

        return null;
    }
}
