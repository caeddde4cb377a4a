// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Routing;

/// <summary>The routes of one virtual host, of which the first that fits counts. Routes that a path rules out are not looked at.</summary>
internal sealed class HostRoutes<TRoute>
    where TRoute : class
{
    private readonly Entry[] _entries;
    private readonly PathIndex? _index;

    /// <summary>Throws <see cref="FormatException"/> naming the route that cannot be used.</summary>
    public HostRoutes(VirtualHostPlan host, string table, Func<RoutePlan, TRoute> make)
    {
        _entries = [.. host.Routes.Select(route => new Entry(RouteMatcher.Compile(route, table), make(route)))];
        _index = PathIndex.Of(host.Routes);
    }

    public TRoute? Match(in RouteRequest request)
    {
        if (_index is null)
        {
            return MatchInTurn(request);
        }

        Span<NumberRun> room = stackalloc NumberRun[Candidates.MaxRuns];
        var candidates = _index.Find(request.Path, room);
        while (candidates.TryNext(out var number))
        {
            ref readonly var entry = ref _entries[number];
            if (entry.Matcher.Matches(request))
            {
                return entry.Route;
            }
        }

        return null;
    }

    /// <summary>Looks at every route; the same answer, found more slowly where there are many.</summary>
    internal TRoute? MatchInTurn(in RouteRequest request)
    {
        foreach (ref readonly var entry in _entries.AsSpan())
        {
            if (entry.Matcher.Matches(request))
            {
                return entry.Route;
            }
        }

        return null;
    }

    private readonly record struct Entry(RouteMatcher Matcher, TRoute Route);
}
