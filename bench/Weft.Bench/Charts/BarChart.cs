// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Bench.Figures;

namespace Weft.Bench.Charts;

/// <summary>A panel for each case: a bar for each topology's median, a whisker from the lowest to the highest round, a line at each goal.</summary>
internal static class BarChart
{
    private const int Width = 860;
    private const int LeastLeft = 120;
    private const int LetterWidth = 8;
    private const int Right = 170;

    // A round that went wild must not press the bars together, so the whisker may leave the picture's room; beyond so many times the least
    // bar, bars are as long as the logarithm.
    private const double WhiskerRoom = 1.4;
    private const double LinearUpTo = 100;
    private const int BarHeight = 20;
    private const int BarStep = 28;
    private const int Top = 48;
    private const int CaseHead = 34;
    private const int CaseFoot = 14;

    public static string Draw(RowResult row)
    {
        var panels = row.Cases.Select(@case => (Case: @case, Figures: Charted(row, @case))).ToArray();
        var height = Top + panels.Sum(panel => CaseHead + (panel.Figures.Length * BarStep) + CaseFoot);
        var svg = new Svg(Width, height, row.Title);
        var y = Top;
        foreach (var (@case, figures) in panels)
        {
            Panel(svg, row, @case, figures, y);
            y += CaseHead + (figures.Length * BarStep) + CaseFoot;
        }

        return svg.ToString();
    }

    private static Figure[] Charted(RowResult row, string @case) =>
        [.. row.Figures.Where(figure => figure.Case == @case && figure.Measure == row.MainOf(@case))];

    private static void Panel(Svg svg, RowResult row, string @case, Figure[] figures, int y)
    {
        var measure = figures[0].Measure;
        var goals = row.Goals.Where(goal => goal.Case == @case && goal.Measure == measure)
            .Select(goal => goal.Reference is null ? goal.Limit : goal.Limit * (figures.FirstOrDefault(figure => figure.Topology == goal.Reference)?.Median ?? 0))
            .Where(limit => limit > 0)
            .ToArray();
        var left = Math.Max(LeastLeft, (row.Topologies.Max(topology => topology.Length) * LetterWidth) + 20);
        var lengthOf = Scale(figures, goals, Width - left - Right, out var isLogarithmic);
        svg.Text(16, y + 16, $"{@case}, {measure.Heading}{(isLogarithmic ? ", logarithmic" : "")}", "faint");
        var top = y + CaseHead - 8;
        var bottom = top + (figures.Length * BarStep);
        svg.Line(left, top, left, bottom, "line");
        foreach (var limit in goals)
        {
            svg.Line(left + lengthOf(limit), top, left + lengthOf(limit), bottom, "goal");
        }

        var reference = figures.FirstOrDefault(figure => figure.Topology == row.Reference);
        for (var i = 0; i < figures.Length; i++)
        {
            var figure = figures[i];
            var middle = top + (i * BarStep) + (BarStep / 2.0);
            svg.Text(left - 10, middle + 5, figure.Topology, "", "end");
            svg.Box(left, middle - (BarHeight / 2.0), Math.Max(1, lengthOf(figure.Median)), BarHeight, Svg.ColourOf(figure.Topology, row.Topologies));
            svg.Line(left + lengthOf(figure.Lowest), middle, left + lengthOf(figure.Highest), middle, "whisker");
            svg.Text(left + lengthOf(Math.Max(figure.Highest, figure.Median)) + 10, middle + 5, Label(figure, reference), "value");
        }
    }

    /// <summary>How long a bar is for a value, in pixels from 0 to <paramref name="room"/>.</summary>
    private static Func<double, double> Scale(Figure[] figures, double[] goals, int room, out bool isLogarithmic)
    {
        var medians = figures.Select(figure => figure.Median).Where(double.IsFinite).DefaultIfEmpty(0).ToArray();
        var most = Math.Max(medians.Max(), goals.DefaultIfEmpty(0).Max());
        var highest = Math.Max(Math.Min(figures.Max(figure => figure.Highest), WhiskerRoom * most), most);
        isLogarithmic = medians.Min() > 0 && medians.Max() / medians.Min() > LinearUpTo;
        if (!(highest > 0) || !double.IsFinite(highest))
        {
            return _ => 0;
        }

        return isLogarithmic
            ? value => room * Math.Clamp(Math.Log(1 + Math.Max(0, value)) / Math.Log(1 + highest), 0, 1)
            : value => room * Math.Clamp(value / highest, 0, 1);
    }

    private static string Label(Figure figure, Figure? reference)
    {
        var value = figure.Median.ToString($"F{figure.Measure.Digits.ToString(CultureInfo.InvariantCulture)}", CultureInfo.InvariantCulture);
        return reference is null || reference == figure
            ? value
            : string.Create(CultureInfo.InvariantCulture, $"{value}  ({Statistics.Median(Statistics.Ratios(figure, reference)):0.00} x)");
    }
}
