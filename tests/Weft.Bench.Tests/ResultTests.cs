// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Xml.Linq;
using Weft.Bench.Charts;
using Weft.Bench.Figures;
using Xunit;

namespace Weft.Bench.Tests;

public sealed class ResultTests
{
    private static readonly RowResult _row = new(
        "hop",
        "HTTP/1.1 <plain> & quick",
        "A note.",
        Measure.CpuPerRequest,
        "haproxy",
        [
            new Figure("100 B", "haproxy", Measure.CpuPerRequest, [20, 10, 40]),
            new Figure("100 B", "haproxy", Measure.Rate, [1000, 2000, 500]),
            new Figure("100 B", "weft", Measure.CpuPerRequest, [10, 6, 28]),
            new Figure("100 B", "weft", Measure.Rate, [2000, 3000, 900]),
            new Figure("close", "haproxy", Measure.CpuPerConnection, [2000]),
            new Figure("close", "weft", Measure.CpuPerConnection, [1600]),
        ],
        [
            new Goal("100 B", "weft", Measure.CpuPerRequest, 0.7, "haproxy"),
            new Goal("close", "weft", Measure.CpuPerConnection, 0.75, "haproxy"),
            new Goal("100 B", "weft", Measure.CpuPerRequest, 0.75, "nginx"),
        ]);

    private static readonly Machine _machine = new("A processor", 2, 24.7, "6.1", "Debian", ["HAProxy 2.6"], "0123456789ab", DateTimeOffset.UnixEpoch);

    [Fact]
    public void A_ratio_is_taken_round_by_round_and_judged_by_its_median()
    {
        // By rounds 0.5, 0.6 and 0.7; the ratio of the medians would be 0.5.
        Assert.Equal(new Verdict(0.6, true), _row.Goals[0].Judge(_row.Figures));
        Assert.Equal(new Verdict(0.8, false), _row.Goals[1].Judge(_row.Figures));
        Assert.Null(_row.Goals[2].Judge(_row.Figures));
    }

    [Theory]
    [InlineData(0.60, true)]
    [InlineData(0.59, false)]
    public void A_goal_is_met_at_its_limit_and_missed_above_it(double limit, bool met) =>
        Assert.Equal(met, new Goal("100 B", "weft", Measure.CpuPerRequest, limit, "haproxy").Judge(_row.Figures)!.Met);

    [Fact]
    public void Differences_that_come_out_below_nothing_are_judged_by_their_medians()
    {
        Figure[] figures = [new("a", "haproxy", Measure.AddedP99, [-0.1, 0.2, 0.4]), new("a", "weft", Measure.AddedP99, [0.1, 0.1, -0.3])];
        Assert.True(new Goal("a", "weft", Measure.AddedP99, 1, "haproxy").Judge(figures)!.Met);
        Assert.False(new Goal("a", "haproxy", Measure.AddedP99, 1, "weft").Judge(figures)!.Met);
    }

    [Fact]
    public void An_even_number_of_rounds_has_the_mean_of_the_two_in_the_middle() => Assert.Equal(2.5, Statistics.Median([4, 1, 3, 2]));

    [Fact]
    public void The_table_shows_medians_spread_ratio_and_what_became_of_each_goal()
    {
        var text = ResultText.Of(_row);
        Assert.Contains("haproxy            20.0  (10.0-40.0)    1.00 (1.00-1.00)", text, StringComparison.Ordinal);
        Assert.Contains("weft               10.0   (6.0-28.0)    0.60 (0.50-0.70)", text, StringComparison.Ordinal);
        Assert.Contains("met    CPU us/request of weft at most 0.70 x haproxy (100 B): 0.60", text, StringComparison.Ordinal);
        Assert.Contains("MISSED CPU us/connection of weft at most 0.75 x haproxy (close): 0.80", text, StringComparison.Ordinal);
        Assert.Contains("goal   CPU us/request of weft at most 0.75 x nginx (100 B): not measured", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_JSON_holds_the_machine_and_every_round()
    {
        using var read = JsonDocument.Parse(ResultJson.Of(_machine, [_row]));
        var root = read.RootElement;
        Assert.Equal("A processor", root.GetProperty("machine").GetProperty("processor").GetString());
        Assert.Equal("0123456789ab", root.GetProperty("commit").GetString());
        Assert.Equal("1970-01-01T00:00:00Z", root.GetProperty("time").GetString());
        var row = root.GetProperty("rows")[0];
        var figure = row.GetProperty("figures")[2];
        Assert.Equal("weft", figure.GetProperty("topology").GetString());
        Assert.Equal("us/request", figure.GetProperty("unit").GetString());
        Assert.Equal([10, 6, 28], figure.GetProperty("rounds").EnumerateArray().Select(value => value.GetDouble()));
        Assert.True(row.GetProperty("goals")[0].GetProperty("met").GetBoolean());
        Assert.Equal(JsonValueKind.Null, row.GetProperty("goals")[2].GetProperty("met").ValueKind);
    }

    [Fact]
    public void A_figure_that_is_no_number_is_null_in_JSON()
    {
        var row = _row with { Figures = [new Figure("a", "weft", Measure.P99, [double.NaN, double.PositiveInfinity])], Goals = [] };
        using var read = JsonDocument.Parse(ResultJson.Of(_machine, [row]));
        Assert.All(read.RootElement.GetProperty("rows")[0].GetProperty("figures")[0].GetProperty("rounds").EnumerateArray(), value => Assert.Equal(JsonValueKind.Null, value.ValueKind));
    }

    [Fact]
    public void Charts_are_well_formed_and_draw_a_bar_for_each_topology_inside_the_picture()
    {
        var svg = XDocument.Parse(BarChart.Draw(_row));
        var bars = Elements(svg, "rect").Where(rect => rect.Attribute("rx") is not null).ToArray();
        Assert.Equal(4, bars.Length);
        Assert.Contains(Elements(svg, "text"), text => text.Value == "HTTP/1.1 <plain> & quick");
        Assert.Contains(Elements(svg, "text"), text => text.Value == "10.0  (0.60 x)");
        Assert.All(bars, bar => Assert.InRange((double)bar.Attribute("x")! + (double)bar.Attribute("width")!, 0, (double)svg.Root!.Attribute("width")!));
    }

    [Fact]
    public void Curves_have_a_point_for_each_size_at_equal_steps_of_its_logarithm()
    {
        var figures = new[] { 10, 100, 1000 }.Select(size => new Figure(size.ToString(System.Globalization.CultureInfo.InvariantCulture), "weft", Measure.CpuPerRequest, [size / 10.0])).ToArray();
        var svg = XDocument.Parse(CurveChart.Draw(_row with { Figures = figures, Goals = [], IsCurve = true, CurveOf = "routes" }));
        var dots = Elements(svg, "circle").Select(dot => (X: (double)dot.Attribute("cx")!, Y: (double)dot.Attribute("cy")!)).ToArray();
        Assert.Equal(3, dots.Length);
        Assert.Equal(dots[1].X - dots[0].X, dots[2].X - dots[1].X, 0.2);
        Assert.True(dots[0].Y > dots[1].Y && dots[1].Y > dots[2].Y);
    }

    [Theory]
    [InlineData(17, 5, 20)]
    [InlineData(100, 20, 100)]
    [InlineData(101, 50, 150)]
    [InlineData(0.013, 0.005, 0.015)]
    [InlineData(0, 1, 1)]
    [InlineData(double.NaN, 1, 1)]
    public void Axes_go_in_round_steps_to_the_first_at_or_above_the_highest_value(double highest, double step, double top)
    {
        var (foundStep, foundTop) = Svg.Scale(highest, 5);
        Assert.Equal(step, foundStep, 1e-9);
        Assert.Equal(top, foundTop, 1e-9);
    }

    private static IEnumerable<XElement> Elements(XDocument svg, string name) => svg.Descendants().Where(element => element.Name.LocalName == name);
}
