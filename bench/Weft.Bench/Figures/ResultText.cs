// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Bench.Figures;

/// <summary>Rows as aligned text for a terminal.</summary>
internal static class ResultText
{
    /// <summary>A table for each case, then the goals with what was measured.</summary>
    public static string Of(RowResult row)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{row.Title}\n");
        foreach (var (@case, lines) in Tables(row))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  {@case}\n");
            var widths = Enumerable.Range(0, lines[0].Length).Select(column => lines.Max(line => line[column].Length)).ToArray();
            foreach (var line in lines)
            {
                text.Append("    ").Append(line[0].PadRight(widths[0]));
                for (var column = 1; column < line.Length; column++)
                {
                    text.Append("  ").Append(line[column].PadLeft(widths[column]));
                }

                text.Append('\n');
            }
        }

        foreach (var goal in row.Goals)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Said(goal, row)}\n");
        }

        return text.Append('\n').ToString();
    }

    /// <summary>The cells of each case's table, headings first.</summary>
    public static IEnumerable<(string Case, string[][] Lines)> Tables(RowResult row)
    {
        foreach (var @case in row.Cases)
        {
            var main = row.MainOf(@case);
            var measures = row.Measures.Where(measure => row.Topologies.Any(topology => row.Find(@case, topology, measure) is not null))
                .OrderBy(measure => measure == main ? 0 : 1).ToArray();
            var lines = new List<string[]> { Headings(row, measures) };
            foreach (var topology in row.Topologies)
            {
                if (measures.Any(measure => row.Find(@case, topology, measure) is not null))
                {
                    lines.Add(Line(row, @case, topology, measures));
                }
            }

            yield return (@case, [.. lines]);
        }
    }

    /// <summary>A goal and what became of it.</summary>
    public static string Said(Goal goal, RowResult row) => goal.Judge(row.Figures) switch
    {
        null => $"goal   {goal}: not measured",
        { Met: true } verdict => $"met    {goal}: {Number(verdict.Measured, 2)}",
        var verdict => $"MISSED {goal}: {Number(verdict.Measured, 2)}",
    };

    private static string[] Headings(RowResult row, Measure[] measures)
    {
        var headings = new List<string> { "" };
        foreach (var measure in measures)
        {
            headings.Add(measure.Heading);
            if (measure == measures[0])
            {
                headings.Add("(spread)");
                if (row.Reference is not null)
                {
                    headings.Add($"x {row.Reference} (spread)");
                }
            }
        }

        return [.. headings];
    }

    private static string[] Line(RowResult row, string @case, string topology, Measure[] measures)
    {
        var cells = new List<string> { topology };
        foreach (var measure in measures)
        {
            var figure = row.Find(@case, topology, measure);
            cells.Add(figure is null ? "-" : Number(figure.Median, measure.Digits));
            if (measure == measures[0])
            {
                cells.Add(figure is null ? "-" : $"({Number(figure.Lowest, measure.Digits)}-{Number(figure.Highest, measure.Digits)})");
                if (row.Reference is not null)
                {
                    cells.Add(Ratio(figure, row.Find(@case, row.Reference, measure)));
                }
            }
        }

        return [.. cells];
    }

    private static string Ratio(Figure? figure, Figure? reference)
    {
        if (figure is null || reference is null)
        {
            return "-";
        }

        var ratios = Statistics.Ratios(figure, reference);
        return $"{Number(Statistics.Median(ratios), 2)} ({Number(ratios.Min(), 2)}-{Number(ratios.Max(), 2)})";
    }

    private static string Number(double value, int digits) => value.ToString($"F{digits.ToString(CultureInfo.InvariantCulture)}", CultureInfo.InvariantCulture);
}
