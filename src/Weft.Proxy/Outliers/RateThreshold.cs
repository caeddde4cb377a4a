// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Outliers;

/// <summary>Says below which success rate an endpoint stands out from the others.</summary>
internal static class RateThreshold
{
    /// <summary>mean - factor / 1000 x standard deviation (of the whole population), in percent.</summary>
    internal static double Of(ReadOnlySpan<double> rates, int factor, out double mean)
    {
        mean = 0;
        foreach (var rate in rates)
        {
            mean += rate / rates.Length;
        }

        var variance = 0.0;
        foreach (var rate in rates)
        {
            variance += (rate - mean) * (rate - mean) / rates.Length;
        }

        return mean - (factor / 1000.0 * Math.Sqrt(variance));
    }
}
