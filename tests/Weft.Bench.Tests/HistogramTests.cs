// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Load;
using Xunit;

namespace Weft.Bench.Tests;

public sealed class HistogramTests
{
    private const int Seeds = 60;

    [Fact]
    public void A_quantile_is_the_sorted_list_s_or_at_most_a_128th_above_it()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var histogram = new Histogram();
            var values = new long[random.Next(1, 2000)];
            for (var i = 0; i < values.Length; i++)
            {
                // Every order of magnitude alike.
                values[i] = random.NextInt64(1L << random.Next(1, 62));
                histogram.Add(values[i]);
            }

            Array.Sort(values);
            foreach (var share in (double[])[0.001, 0.5, 0.9, 0.99, 0.999, 1])
            {
                var expected = values[Math.Max(1, (int)Math.Ceiling(share * values.Length)) - 1];
                Assert.InRange(histogram.Quantile(share), expected, expected + (expected / 128));
            }
        }
    }

    [Fact]
    public void Small_values_are_exact_and_negative_ones_count_as_none()
    {
        var histogram = new Histogram();
        for (var value = -1; value < 256; value++)
        {
            histogram.Add(value);
        }

        Assert.Equal(257, histogram.Count);
        Assert.Equal(0, histogram.Quantile(0));
        Assert.Equal(127, histogram.Quantile(129.0 / 257));
        Assert.Equal(255, histogram.Quantile(1));
    }

    [Fact]
    public void The_highest_value_of_all_can_be_counted()
    {
        var histogram = new Histogram();
        histogram.Add(long.MaxValue);
        Assert.Equal(long.MaxValue, histogram.Quantile(0.5));
    }

    [Fact]
    public void An_empty_histogram_has_no_quantiles()
    {
        var histogram = new Histogram();
        Assert.Equal(0, histogram.Quantile(0.99));
        histogram.Add(7);
        histogram.Clear();
        Assert.Equal(0, histogram.Quantile(0.99));
        Assert.Equal(0, histogram.Highest);
    }
}
