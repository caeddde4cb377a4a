// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Bench.Charts;

namespace Weft.Bench.Figures;

/// <summary>A run's results as files: results.json, a chart for each row, and a page that shows them.</summary>
internal static class ResultFolder
{
    /// <summary>Replaces what stood there from an earlier run.</summary>
    public static void Write(string folder, Machine machine, IReadOnlyList<RowResult> rows)
    {
        Directory.CreateDirectory(folder);
        foreach (var old in Directory.GetFiles(folder, "*.svg"))
        {
            File.Delete(old);
        }

        File.WriteAllText(Path.Combine(folder, "results.json"), ResultJson.Of(machine, rows));
        File.WriteAllText(Path.Combine(folder, "README.md"), Page(machine, rows));
        foreach (var row in rows.Where(row => row.Figures.Count > 0))
        {
            File.WriteAllText(Path.Combine(folder, $"{row.Name}.svg"), row.IsCurve ? CurveChart.Draw(row) : BarChart.Draw(row));
        }
    }

    private static string Page(Machine machine, IReadOnlyList<RowResult> rows)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            # Measured {machine.Time:yyyy-MM-dd}

            Written by `bench/run`; how to read and repeat it stands in `docs/benchmarks/README.md`. Commit {machine.Commit}.

            {machine.Processor}, {machine.Cores} cores, {machine.MemoryGigabytes} GB; Linux {machine.Kernel}, {machine.System}.
            Compared with: {string.Join("; ", machine.Versions)}.

            ## Goals

            | row | goal | measured | |
            |---|---|---:|---|

            """);
        foreach (var row in rows)
        {
            foreach (var goal in row.Goals)
            {
                var verdict = goal.Judge(row.Figures);
                page.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {goal} | {(verdict is null ? "-" : $"{verdict.Measured:0.00}")} | {(verdict is null ? "not measured" : verdict.Met ? "met" : "**missed**")} |\n");
            }
        }

        foreach (var row in rows)
        {
            Section(page, row);
        }

        return page.ToString();
    }

    private static void Section(StringBuilder page, RowResult row)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {row.Title}\n\n{row.Note}\n\n![{row.Title}]({row.Name}.svg)\n");
        foreach (var (@case, lines) in ResultText.Tables(row))
        {
            page.Append(CultureInfo.InvariantCulture, $"\n{@case}:\n\n| {string.Join(" | ", lines[0])} |\n|---{string.Concat(Enumerable.Repeat("|---:", lines[0].Length - 1))}|\n");
            foreach (var line in lines.Skip(1))
            {
                page.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", line)} |\n");
            }
        }
    }
}
