// SPDX-License-Identifier: Apache-2.0

namespace Weft.Control.Serving;

/// <summary>Waits for a burst of changes to end, but not for ever.</summary>
internal sealed class Debounce(TimeSpan quiet, TimeSpan max)
{
    private DateTimeOffset _last;

    /// <summary>When the first change of the burst came; null if there is none.</summary>
    public DateTimeOffset? Since { get; private set; }

    public void Touch(DateTimeOffset now)
    {
        Since ??= now;
        _last = now;
    }

    public void Clear() => Since = null;

    /// <summary>How long until it is due; null if nothing is.</summary>
    public TimeSpan? Wait(DateTimeOffset now)
    {
        if (Since is not { } since)
        {
            return null;
        }

        var due = _last + quiet < since + max ? _last + quiet : since + max;
        return due > now ? due - now : TimeSpan.Zero;
    }

    public bool IsDue(DateTimeOffset now) => Wait(now) == TimeSpan.Zero;
}
