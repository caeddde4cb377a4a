// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>
/// How slow an endpoint has been of late, in milliseconds: jumps up to a slower answer, comes down exponentially, and fades when nothing
/// is asked, so that an endpoint that was slow once is tried again.
/// </summary>
internal struct Latency(long now)
{
    /// <summary>What is taken for an endpoint that nothing is known of.</summary>
    internal const double UnknownMs = 30;

    /// <summary>What a try without an answer counts as: else an endpoint that refuses at once would look like the fastest of all.</summary>
    internal const double FailureMs = 5000;

    /// <summary>After this long, 63 % of what was known is forgotten.</summary>
    internal const double DecayMs = 10_000;

    private double _estimate = UnknownMs;
    private long _at = now;

    internal readonly double At(long now) => _estimate * Math.Exp(-Math.Max(0, now - _at) / DecayMs);

    internal void Add(double sampleMs, long now)
    {
        var elapsed = Math.Max(0, now - _at);
        _at = now;
        if (sampleMs > _estimate)
        {
            _estimate = sampleMs;
        }
        else
        {
            _estimate += (1 - Math.Exp(-elapsed / DecayMs)) * (sampleMs - _estimate);
        }
    }
}
