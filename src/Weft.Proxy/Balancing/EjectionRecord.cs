// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>
/// What outlier detection remembers of one endpoint. The three counts in a row are touched by all loops, but written only when something
/// fails or has just stopped failing; everything else belongs to whoever holds the detector's lock.
/// </summary>
internal sealed class EjectionRecord
{
    internal int ServerErrors;
    internal int GatewayErrors;
    internal int LocalFailures;

    /// <summary>How often the base time is taken next; falls by one for each interval without an ejection.</summary>
    internal int Multiplier { get; set; }

    /// <summary>Ejections since the endpoint is known.</summary>
    internal int Count { get; set; }

    /// <summary>When it was ejected last, in the detector's milliseconds.</summary>
    internal long EjectedAt { get; set; }

    /// <summary>Of the last interval in percent; -1 where there were too few requests.</summary>
    internal double SuccessRate { get; set; } = -1;

    /// <summary>Figures at the last look, so that an interval's are the difference.</summary>
    internal RateWindow Answers { get; } = new();

    internal RateWindow Local { get; } = new();
}

/// <summary>Turns counts that only grow into counts of an interval.</summary>
internal sealed class RateWindow
{
    private long _total;
    private long _failed;

    internal long Total { get; private set; }

    /// <summary>In percent; meaningful where <see cref="Total"/> is above 0.</summary>
    internal double SuccessRate { get; private set; }

    internal void Close(long total, long failed)
    {
        Total = total - _total;
        SuccessRate = Total > 0 ? 100.0 * (Total - (failed - _failed)) / Total : 0;
        (_total, _failed) = (total, failed);
    }
}
