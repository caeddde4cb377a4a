// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Bench.Figures;

namespace Weft.Bench.Charts;

/// <summary>A panel for each case: a bar for each topology's median, a whisker from the lowest to the highest round, a line at each goal.</summary>
internal static class BarChart
{
    private const int Width = 860;
    private const int Left = 190;
    private const int Right = 190;
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
        const int Room = Width - Left - Right;
        var measure = figures[0].Measure;
        svg.Text(16, y + 16, $"{@case}, {measure.Heading}", "faint");
        var goals = row.Goals.Where(goal => goal.Case == @case && goal.Measure == measure)
            .Select(goal => goal.Reference is null ? goal.Limit : goal.Limit * (figures.FirstOrDefault(figure => figure.Topology == goal.Reference)?.Median ?? 0))
            .Where(limit => limit > 0)
            .ToArray();
        var highest = Math.Max(figures.Max(figure => figure.Highest), goals.Length == 0 ? 0 : goals.Max());
        var unit = highest > 0 ? Room / highest : 0;
        var reference = figures.FirstOrDefault(figure => figure.Topology == row.Reference);
        var top = y + CaseHead - 8;
        svg.Line(Left, top, Left, top + (figures.Length * BarStep), "line");
        for (var i = 0; i < figures.Length; i++)
        {
            var figure = figures[i];
            var middle = top + (i * BarStep) + (BarStep / 2.0);
            svg.Text(Left - 10, middle + 5, figure.Topology, "", "end");
            svg.Box(Left, middle - (BarHeight / 2.0), Math.Max(1, Math.Max(0, figure.Median) * unit), BarHeight, Svg.ColourOf(figure.Topology, row.Topologies));
            svg.Line(Left + (Math.Max(0, figure.Lowest) * unit), middle, Left + (Math.Max(0, figure.Highest) * unit), middle, "whisker");
            svg.Text(Left + (Math.Max(0, figure.Highest) * unit) + 10, middle + 5, Label(figure, reference));
        }

        foreach (var limit in goals)
        {
            svg.Line(Left + (limit * unit), top, Left + (limit * unit), top + (figures.Length * BarStep), "goal");
        }
    }

    private static string Label(Figure figure, Figure? reference)
    {
        var value = figure.Median.ToString($"F{figure.Measure.Digits.ToString(CultureInfo.InvariantCulture)}", CultureInfo.InvariantCulture);
        return reference is null || reference == figure
            ? value
            : string.Create(CultureInfo.InvariantCulture, $"{value}  ({Statistics.Median(Statistics.Ratios(figure, reference)):0.00} x)");
    }
}
