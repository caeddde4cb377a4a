// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Processes;

/// <summary>How long to wait before starting something again: nothing the first time, then doubling up to a limit.</summary>
internal sealed class RestartPause(TimeSpan first, TimeSpan limit, TimeSpan forgetAfter)
{
    private int _failures;

    /// <summary>The pause before the next start of something that ran for <paramref name="ran"/>; a long run wipes the slate.</summary>
    public TimeSpan Next(TimeSpan ran)
    {
        if (ran >= forgetAfter)
        {
            _failures = 0;
        }

        var failures = _failures++;
        if (failures == 0)
        {
            return TimeSpan.Zero;
        }

        var pause = first * Math.Pow(2, Math.Min(failures - 1, 30));
        return pause < limit ? pause : limit;
    }
}
