// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Bench.Figures;

namespace Weft.Bench.Charts;

/// <summary>The main measure over cases that are numbers, on a logarithmic axis, a curve for each topology.</summary>
internal static class CurveChart
{
    private const int Width = 860;
    private const int Height = 400;
    private const int Left = 70;
    private const int Right = 30;
    private const int Top = 84;
    private const int Bottom = 56;
    private const int Steps = 5;
    private const int LegendStep = 170;

    public static string Draw(RowResult row)
    {
        var svg = new Svg(Width, Height, row.Title);
        var figures = row.Figures.Where(figure => figure.Measure == row.Main).ToArray();
        var sizes = row.Cases.Select(size => double.Parse(size, CultureInfo.InvariantCulture)).Order().ToArray();
        var (step, top) = Svg.Scale(figures.Max(figure => figure.Median), Steps);
        double X(double size) => Left + ((Width - Left - Right) * Position(size, sizes));
        double Y(double value) => Height - Bottom - ((Height - Top - Bottom) * value / top);
        for (var value = 0.0; value <= top * 1.001; value += step)
        {
            svg.Line(Left, Y(value), Width - Right, Y(value), "line");
            svg.Text(Left - 8, Y(value) + 4, value.ToString("0.##", CultureInfo.InvariantCulture), "faint", "end");
        }

        foreach (var size in sizes)
        {
            svg.Text(X(size), Height - Bottom + 20, size.ToString("N0", CultureInfo.InvariantCulture), "faint", "middle");
        }

        svg.Text(Left + ((Width - Left - Right) / 2.0), Height - 12, row.CurveOf, "faint", "middle");
        svg.Text(16, 50, row.Main.Heading, "faint");
        var legend = 0;
        foreach (var topology in row.Topologies)
        {
            var colour = Svg.ColourOf(topology, row.Topologies);
            svg.Curve([.. figures.Where(figure => figure.Topology == topology).Select(figure => (X(double.Parse(figure.Case, CultureInfo.InvariantCulture)), Y(figure.Median)))], colour);
            svg.Box(Left + (legend * LegendStep), 60, 12, 12, colour);
            svg.Text(Left + (legend * LegendStep) + 18, 71, topology);
            legend++;
        }

        return svg.ToString();
    }

    /// <summary>0 for the least size, 1 for the greatest.</summary>
    private static double Position(double size, double[] sizes) =>
        sizes[^1] > sizes[0] ? Math.Log(size / sizes[0]) / Math.Log(sizes[^1] / sizes[0]) : 0.5;
}
