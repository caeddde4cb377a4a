// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Bench.Figures;

/// <summary>What a row must show: a topology's median at most so much, or at most so many times the reference's.</summary>
/// <param name="Case">The row's case that is judged.</param>
/// <param name="Topology">Whose figure.</param>
/// <param name="Measure">Of what.</param>
/// <param name="Limit">In the measure's unit, or times the reference.</param>
/// <param name="Reference">Null for a limit in the measure's unit.</param>
internal sealed record Goal(string Case, string Topology, Measure Measure, double Limit, string? Reference = null)
{
    /// <summary>Compares; null where one of the figures was not measured.</summary>
    public Verdict? Judge(IEnumerable<Figure> figures)
    {
        var own = Find(figures, Topology);
        if (Reference is null)
        {
            return own is null ? null : new Verdict(own.Median, own.Median <= Limit);
        }

        if (own is null || Find(figures, Reference) is not { } reference)
        {
            return null;
        }

        // Differences may come out at nothing or below in a round; then only the medians can be compared.
        var ratio = reference.Lowest > 0 ? Statistics.Median(Statistics.Ratios(own, reference)) : own.Median / reference.Median;
        return new Verdict(ratio, reference.Lowest > 0 ? ratio <= Limit : own.Median <= Limit * reference.Median);
    }

    /// <summary>For example <c>CPU us/request of weft at most 0.70 x haproxy (100 B)</c>.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Measure.Heading} of {Topology} at most {(Reference is null ? $"{Limit:0.##}" : $"{Limit:0.00} x {Reference}")} ({Case})");

    private Figure? Find(IEnumerable<Figure> figures, string topology) =>
        figures.FirstOrDefault(figure => figure.Case == Case && figure.Topology == topology && figure.Measure == Measure);
}

/// <summary>How a goal ended: the value or ratio that was measured.</summary>
internal sealed record Verdict(double Measured, bool Met);
