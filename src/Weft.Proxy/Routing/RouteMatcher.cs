// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;

namespace Weft.Proxy.Routing;

/// <summary>The conditions of one route, compiled; cheap ones are asked first, though all must hold.</summary>
internal sealed class RouteMatcher
{
    private readonly TextMatcher _path;
    private readonly HeaderMatcher[] _headers;
    private readonly QueryMatcher[] _queries;
    private readonly bool _connect;

    private RouteMatcher(RouteMatchPlan plan)
    {
        _connect = plan.Connect;
        _path = TextMatcher.Compile(plan.Path);
        _headers = new HeaderMatcher[plan.Headers.Count];
        for (var i = 0; i < _headers.Length; i++)
        {
            _headers[i] = new HeaderMatcher(plan.Headers[i]);
        }

        _queries = new QueryMatcher[plan.QueryParameters.Count];
        for (var i = 0; i < _queries.Length; i++)
        {
            _queries[i] = new QueryMatcher(plan.QueryParameters[i]);
        }
    }

    /// <summary>Throws <see cref="FormatException"/> naming the route if one of its texts is not valid.</summary>
    public static RouteMatcher Compile(RoutePlan route, string table)
    {
        try
        {
            return new RouteMatcher(route.Match);
        }
        catch (FormatException problem)
        {
            throw new FormatException($"Route '{route.Name}' of table '{table}': {problem.Message}", problem);
        }
    }

    public bool Matches(in RouteRequest request)
    {
        if (_connect != (request.Head.Method == KnownMethod.Connect) || (!_connect && _path.Holds(request.Path) == _path.Invert))
        {
            return false;
        }

        foreach (var header in _headers)
        {
            if (!header.Matches(request))
            {
                return false;
            }
        }

        foreach (var query in _queries)
        {
            if (!query.Matches(request))
            {
                return false;
            }
        }

        return true;
    }
}
