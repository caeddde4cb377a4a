// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Cli.Output;
using Weft.Model.Diagnostics;

namespace Weft.Cli.Asking;

/// <summary>Findings in the order and the forms that istioctl has for them.</summary>
internal sealed class AnalysisReport
{
    private const string SchemaPrefix = "Schema validation error: ";

    private readonly List<Entry> _entries;

    public AnalysisReport(IEnumerable<Diagnostic> findings, Severity outputThreshold) => _entries =
    [
        .. findings.Select(Entry.Of).Where(e => e.Level <= outputThreshold).OrderBy(e => e.Level).ThenBy(e => e.Code, StringComparer.Ordinal)
            .ThenBy(e => e.Where, StringComparer.Ordinal).ThenBy(e => e.Message, StringComparer.Ordinal).Distinct(),
    ];

    public int Count => _entries.Count;

    public bool Reaches(Severity threshold) => _entries.Exists(e => e.Level <= threshold);

    public string ToLog(Terminal terminal) => string.Concat(_entries.Select(e =>
        $"{terminal.Bold(e.Level.ToString())} [{e.Code}] ({e.Object}{(e.Reference.Length == 0 ? "" : " " + e.Reference)}) {e.Message}\n"));

    public JsonArray ToJson() =>
    [
        .. _entries.Select(e => new JsonObject
        {
            ["code"] = e.Code,
            ["level"] = e.Level.ToString(),
            ["message"] = e.Message,
            ["origin"] = e.Object,
            ["reference"] = e.Reference,
            ["path"] = e.Finding.Origin.Path,
            ["id"] = e.Finding.Id,
            ["documentation"] = $"weft explain {e.Finding.Id}",
        }),
    ];

    private sealed record Entry(Diagnostic Finding, string Code, Severity Level, string Object, string Reference, string Message)
    {
        public string Where => $"{Object} {Reference}";

        public static Entry Of(Diagnostic finding)
        {
            var (code, level) = IstioCodes.Of(finding);
            var origin = finding.Origin;
            var name = origin.Namespace.Length == 0 ? origin.Name : $"{origin.Namespace}/{origin.Name}";
            var reference = origin.Position.Line > 0 ? origin.Position.ToString() : "";
            var what = code is IstioCodes.SchemaError ? $"{SchemaPrefix}{finding.Id}: {finding.Fact}" : finding.Fact;
            return new Entry(finding, code, level, $"{origin.Kind} {name}".Trim(), reference, finding.Cure is null ? what : $"{what} {finding.Cure}");
        }
    }
}
