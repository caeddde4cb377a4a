// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Bench.Figures;

/// <summary>Results as JSON: the machine, then every row with each round's value, so that others can do their own statistics.</summary>
internal static class ResultJson
{
    private static readonly JsonSerializerOptions _layout = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(Machine machine, IEnumerable<RowResult> rows) => new JsonObject
    {
        ["machine"] = new JsonObject
        {
            ["processor"] = machine.Processor,
            ["cores"] = machine.Cores,
            ["memoryGigabytes"] = machine.MemoryGigabytes,
            ["kernel"] = machine.Kernel,
            ["system"] = machine.System,
        },
        ["versions"] = new JsonArray([.. machine.Versions.Select(version => (JsonNode)version)]),
        ["commit"] = machine.Commit,
        ["time"] = machine.Time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        ["rows"] = new JsonArray([.. rows.Select(row => (JsonNode)Row(row))]),
    }.ToJsonString(_layout) + "\n";

    private static JsonObject Row(RowResult row) => new JsonObject
    {
        ["name"] = row.Name,
        ["title"] = row.Title,
        ["note"] = row.Note,
        ["main"] = row.Main.Heading,
        ["reference"] = row.Reference,
        ["goals"] = new JsonArray([.. row.Goals.Select(goal => (JsonNode)Judged(goal, row))]),
        ["figures"] = new JsonArray([.. row.Figures.Select(figure => (JsonNode)One(figure))]),
    };

    private static JsonObject Judged(Goal goal, RowResult row)
    {
        var verdict = goal.Judge(row.Figures);
        return new JsonObject
        {
            ["case"] = goal.Case,
            ["topology"] = goal.Topology,
            ["measure"] = goal.Measure.Heading,
            ["limit"] = goal.Limit,
            ["reference"] = goal.Reference,
            ["measured"] = verdict is null ? null : Rounded(verdict.Measured),
            ["met"] = verdict?.Met,
        };
    }

    private static JsonObject One(Figure figure) => new JsonObject
    {
        ["case"] = figure.Case,
        ["topology"] = figure.Topology,
        ["measure"] = figure.Measure.Name,
        ["unit"] = figure.Measure.Unit,
        ["median"] = Rounded(figure.Median),
        ["rounds"] = new JsonArray([.. figure.Rounds.Select(Rounded)]),
    };

    // JSON has no word for what cannot be said in numbers.
    private static JsonNode? Rounded(double value) => double.IsFinite(value) ? (JsonNode)Math.Round(value, 4) : null;
}
