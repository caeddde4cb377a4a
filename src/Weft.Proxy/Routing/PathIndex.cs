// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;

namespace Weft.Proxy.Routing;

/// <summary>
/// Which routes of a virtual host a path leaves possible, in their order: those whose whole path or prefix it is, and those whose
/// condition on the path is of another kind. The routes still look for themselves.
/// </summary>
internal sealed class PathIndex
{
    /// <summary>Fewer routes are asked one after the other as fast.</summary>
    internal const int MinRoutes = 8;

    /// <summary>Prefixes of one another, all with routes; a host with more of them is not indexed.</summary>
    internal const int MaxNested = 32;

    /// <summary>Of a longer path only the front is looked up in lower case; no request has one.</summary>
    private const int MaxLowered = 16 * 1024;

    private readonly PathTrie _asWritten;
    private readonly PathTrie? _lowered;
    private readonly NumberRun _others;
    private readonly int[] _numbers;

    private PathIndex(IReadOnlyList<RoutePlan> routes)
    {
        List<int> numbers = [];
        for (var i = 0; i < routes.Count; i++)
        {
            if (!IsByPath(routes[i].Match))
            {
                numbers.Add(i);
            }
        }

        _others = new NumberRun(0, numbers.Count);
        _asWritten = new PathTrie(EntriesOf(routes, ignoreCase: false), numbers);
        PathEntry[] lowered = [.. EntriesOf(routes, ignoreCase: true)];
        _lowered = lowered.Length == 0 ? null : new PathTrie(lowered, numbers);
        _numbers = [.. numbers];
    }

    /// <summary>Null where looking at every route is as good.</summary>
    public static PathIndex? Of(IReadOnlyList<RoutePlan> routes)
    {
        var index = routes.Count < MinRoutes ? null : new PathIndex(routes);
        return index is null || index._asWritten.MaxRuns + (index._lowered?.MaxRuns ?? 0) > MaxNested ? null : index;
    }

    /// <summary>The routes to be looked at for a path.</summary>
    /// <param name="room">For at least <see cref="Candidates.MaxRuns"/>.</param>
    public Candidates Find(ReadOnlySpan<byte> path, Span<NumberRun> room)
    {
        var count = 0;
        if (_others.Length > 0)
        {
            room[count++] = _others;
        }

        count += _asWritten.Find(path, room[count..]);
        if (_lowered is not null)
        {
            count += FindLowered(path[..Math.Min(path.Length, MaxLowered)], room[count..]);
        }

        return new Candidates(_numbers, room[..count]);
    }

    private int FindLowered(ReadOnlySpan<byte> path, Span<NumberRun> room)
    {
        Span<byte> lower = stackalloc byte[path.Length];
        for (var i = 0; i < path.Length; i++)
        {
            lower[i] = path[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(path[i] | 0x20) : path[i];
        }

        return _lowered!.Find(lower, room);
    }

    private static bool IsByPath(RouteMatchPlan match) =>
        !match.Connect && match.Path is { Kind: TextMatchKind.Exact or TextMatchKind.Prefix, Invert: false };

    private static IEnumerable<PathEntry> EntriesOf(IReadOnlyList<RoutePlan> routes, bool ignoreCase)
    {
        for (var i = 0; i < routes.Count; i++)
        {
            var path = routes[i].Match.Path;
            if (IsByPath(routes[i].Match) && path.IgnoreCase == ignoreCase)
            {
                var text = Encoding.UTF8.GetBytes(path.Value);
                if (ignoreCase)
                {
                    _ = Ascii.ToLowerInPlace(text, out _);
                }

                yield return new PathEntry(text, path.Kind == TextMatchKind.Exact, i);
            }
        }
    }
}

/// <summary>Numbers of several ascending runs, in ascending order.</summary>
internal ref struct Candidates(ReadOnlySpan<int> numbers, Span<NumberRun> runs)
{
    /// <summary>Runs under the path, and one of the routes that are not under any.</summary>
    public const int MaxRuns = PathIndex.MaxNested + 1;

    private readonly ReadOnlySpan<int> _numbers = numbers;
    private readonly Span<NumberRun> _runs = runs;

    public readonly bool TryNext(out int number)
    {
        number = int.MaxValue;
        var from = -1;
        for (var i = 0; i < _runs.Length; i++)
        {
            if (_runs[i].Length > 0 && _numbers[_runs[i].Start] < number)
            {
                number = _numbers[_runs[i].Start];
                from = i;
            }
        }

        if (from < 0)
        {
            return false;
        }

        _runs[from] = _runs[from] with { Start = _runs[from].Start + 1 };
        return true;
    }
}
