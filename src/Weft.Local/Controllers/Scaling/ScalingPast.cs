// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Controllers.Scaling;

/// <summary>What an autoscaler has recommended and done lately. Nothing older than an hour is kept: no rule may look further back.</summary>
internal sealed class ScalingPast
{
    private static readonly TimeSpan _memory = TimeSpan.FromHours(1);
    private readonly List<(DateTimeOffset At, long Replicas)> _recommended = [];
    private readonly List<(DateTimeOffset At, long Change)> _changes = [];

    /// <summary>Without a past the present number counts as recommended now: nothing shrinks or grows before the first window is over.</summary>
    public void Begin(long current, DateTimeOffset now)
    {
        if (_recommended.Count == 0)
        {
            Recommend(current, now);
        }
    }

    public void Recommend(long replicas, DateTimeOffset now)
    {
        _recommended.RemoveAll(one => now - one.At > _memory);
        _recommended.Add((now, replicas));
    }

    public void Scale(long change, DateTimeOffset now)
    {
        _changes.RemoveAll(one => now - one.At > _memory);
        _changes.Add((now, change));
    }

    public long Added(TimeSpan period, DateTimeOffset now) => _changes.Where(one => one.Change > 0 && now - one.At < period).Sum(one => one.Change);

    public long Removed(TimeSpan period, DateTimeOffset now) => -_changes.Where(one => one.Change < 0 && now - one.At < period).Sum(one => one.Change);

    /// <summary>
    /// The recommendation, held: down not below the highest of its window, up not above the lowest of its own.
    /// </summary>
    public long Stabilize(long current, long wanted, (TimeSpan Up, TimeSpan Down) windows, DateTimeOffset now)
    {
        var up = wanted;
        var down = wanted;
        foreach (var (at, replicas) in _recommended)
        {
            up = now - at < windows.Up ? Math.Min(up, replicas) : up;
            down = now - at < windows.Down ? Math.Max(down, replicas) : down;
        }

        return up > current ? up : down < current ? down : current;
    }
}
