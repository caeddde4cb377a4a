// SPDX-License-Identifier: Apache-2.0

namespace Weft.Kubernetes;

/// <summary>Pauses that double with each failure, each between half and all of its step so that clients do not march in line.</summary>
public sealed class Backoff(TimeSpan first, TimeSpan max, Random jitter)
{
    private int _failures;

    public TimeSpan Next()
    {
        var step = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(_failures, 30)), max.TotalMilliseconds);
        _failures++;
        return TimeSpan.FromMilliseconds(step * (0.5 + (jitter.NextDouble() / 2)));
    }

    public void Reset() => _failures = 0;
}
