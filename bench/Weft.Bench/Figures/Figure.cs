// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench.Figures;

/// <summary>One measure of one topology in one case: a value for each round, in the order of the rounds.</summary>
internal sealed record Figure(string Case, string Topology, Measure Measure, IReadOnlyList<double> Rounds)
{
    public double Median => Statistics.Median(Rounds);

    public double Lowest => Rounds.Min();

    public double Highest => Rounds.Max();
}

/// <summary>Medians and ratios.</summary>
internal static class Statistics
{
    /// <summary>The middle value; the mean of the two in the middle of an even number.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length switch
        {
            0 => double.NaN,
            var count when count % 2 == 1 => sorted[count / 2],
            var count => (sorted[(count / 2) - 1] + sorted[count / 2]) / 2,
        };
    }

    /// <summary>Round by round, because what disturbs the machine disturbs both halves of a round alike.</summary>
    public static double[] Ratios(Figure figure, Figure reference) =>
        [.. figure.Rounds.Zip(reference.Rounds, (own, other) => own / other)];
}
