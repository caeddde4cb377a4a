// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Bench.Charts;

/// <summary>
/// Writes an SVG picture that follows the reader's light or dark colours. Positions are in pixels from the top left; series have a
/// colour each by number, the first being weft's own.
/// </summary>
internal sealed class Svg(int width, int height, string title)
{
    public const int Colours = 6;

    private const string Style = """
        text { font: 13px system-ui, sans-serif; fill: #24292f }
        .title { font-size: 16px; font-weight: 600 }
        .faint { fill: #6e7781 } .line { stroke: #d0d7de; stroke-width: 1 } .whisker { stroke: #57606a; stroke-width: 1.5 } .page { fill: #ffffff }
        .f0 { fill: #0969da } .f1 { fill: #8c959f } .f2 { fill: #1a7f37 } .f3 { fill: #bf8700 } .f4 { fill: #8250df } .f5 { fill: #cf222e }
        .s0 { stroke: #0969da } .s1 { stroke: #8c959f } .s2 { stroke: #1a7f37 } .s3 { stroke: #bf8700 } .s4 { stroke: #8250df } .s5 { stroke: #cf222e }
        .curve { fill: none; stroke-width: 2 } .value { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round }
        .goal { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 4 3 }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3 } .faint { fill: #8d96a0 } .line { stroke: #30363d } .whisker { stroke: #b1bac4 } .page { fill: #0d1117 } .value { stroke: #0d1117 }
        .f0 { fill: #4493f8 } .f1 { fill: #6e7681 } .f2 { fill: #3fb950 } .f3 { fill: #d29922 } .f4 { fill: #ab7df8 } .f5 { fill: #f85149 }
        .s0 { stroke: #4493f8 } .s1 { stroke: #6e7681 } .s2 { stroke: #3fb950 } .s3 { stroke: #d29922 } .s4 { stroke: #ab7df8 } .s5 { stroke: #f85149 }
        }
        """;

    private readonly StringBuilder _body = new();

    /// <param name="x">Where the text begins, ends or has its middle.</param>
    /// <param name="y">Of its base line.</param>
    /// <param name="text">Escaped here.</param>
    /// <param name="kind">Classes of the style.</param>
    /// <param name="anchor"><c>start</c>, <c>middle</c> or <c>end</c>.</param>
    public void Text(double x, double y, string text, string kind = "", string anchor = "start") =>
        _body.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" class=\"{kind}\" text-anchor=\"{anchor}\">{Escape(text)}</text>\n");

    public void Box(double x, double y, double wide, double high, int colour) =>
        _body.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{wide:0.#}\" height=\"{high:0.#}\" rx=\"2\" class=\"f{colour % Colours}\"/>\n");

    public void Line(double x1, double y1, double x2, double y2, string kind) =>
        _body.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" class=\"{kind}\"/>\n");

    /// <summary>A line through the points with a dot on each.</summary>
    public void Curve(IReadOnlyList<(double X, double Y)> points, int colour)
    {
        var text = string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.X:0.#},{point.Y:0.#}")));
        _body.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{text}\" class=\"curve s{colour % Colours}\"/>\n");
        foreach (var (x, y) in points)
        {
            _body.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"3\" class=\"f{colour % Colours}\"/>\n");
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"""
        <svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{Escape(title)}">
        <title>{Escape(title)}</title>
        <style>
        {Style}
        </style>
        <rect width="{width}" height="{height}" class="page"/>
        <text x="16" y="28" class="title">{Escape(title)}</text>
        {_body}</svg>

        """);

    /// <summary>The colour of a topology: weft's variants first, haproxy, nginx and envoy always the same.</summary>
    public static int ColourOf(string topology, IEnumerable<string> all) => topology.Split(',')[0] switch
    {
        "haproxy" => topology.Contains("prefixes", StringComparison.Ordinal) ? 3 : 1,
        "nginx" => 2,
        "envoy" => 4,
        "no proxy" => 3,
        "weft" when topology == all.First(other => other.StartsWith("weft", StringComparison.Ordinal)) => 0,
        "weft" => 4,
        _ when all.Count() > Colours => 0,
        _ => all.TakeWhile(other => other != topology).Count(),
    };

    /// <summary>A whole number of steps of 1, 2 or 5 times a power of ten that covers the value.</summary>
    public static (double Step, double Top) Scale(double highest, int steps)
    {
        if (!(highest > 0) || !double.IsFinite(highest))
        {
            return (1, 1);
        }

        var raw = highest / steps;
        var power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        var step = ((double[])[1, 2, 5, 10]).First(nice => nice * power >= raw * 0.999) * power;
        return (step, Math.Ceiling(highest / step - 0.001) * step);
    }

    private static string Escape(string text) => System.Security.SecurityElement.Escape(text);
}
