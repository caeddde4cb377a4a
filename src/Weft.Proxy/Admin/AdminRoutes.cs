// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Admin;

/// <summary>The pages of one port.</summary>
internal sealed class AdminRoutes(params AdminRoute[] routes)
{
    public AdminAnswer Answer(string method, string target)
    {
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var path = mark < 0 ? target : target[..mark];
        var route = Array.Find(routes, candidate => candidate.Path == path);
        if (route is null)
        {
            return AdminAnswer.Text(
                $"There is no page '{path}'. Pages:\n{string.Concat(routes.Select(known => $"  {(known.Changes ? "POST " : "")}{known.Path}: {known.About}\n"))}",
                path is "/" or "/help" ? 200 : 404);
        }

        var allowed = route.Changes ? method == "POST" : method is "GET" or "HEAD";
        return allowed ? route.Answer(mark < 0 ? [] : target[(mark + 1)..].Split('&')) : AdminAnswer.Text($"'{path}' wants {(route.Changes ? "POST" : "GET")}.\n", 405);
    }
}

/// <summary>One page: its path, whether it changes something (then only POST), and what it answers to the words of its query.</summary>
internal sealed record AdminRoute(string Path, bool Changes, string About, Func<string[], AdminAnswer> Answer)
{
    public AdminRoute(string path, bool changes, string about, Func<AdminAnswer> answer)
        : this(path, changes, about, _ => answer())
    {
    }
}
