// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Model.Diagnostics;

namespace Weft.Control.Status;

/// <summary>What an object's status says: whether it is in force, on which proxies, and what is wrong with it.</summary>
/// <param name="Accepted">In force: False keeps the last good version, if there was one.</param>
/// <param name="Programmed">Whether proxies run it.</param>
/// <param name="Applied">Whether what it asks of proxies could be done; null for kinds that are always done as a whole.</param>
/// <param name="Findings">Everything that is wrong, worst first.</param>
internal sealed record Verdict(Condition Accepted, Condition Programmed, Condition? Applied, IReadOnlyList<Diagnostic> Findings)
{
    /// <summary>Beyond these an object's status only says how many more there are.</summary>
    private const int MaxFindings = 20;

    /// <summary>Two verdicts are the same if they would be written alike; how many proxies there are is no reason to write.</summary>
    public string Signature => string.Join('\n', [
        $"{Accepted.Status} {Accepted.Reason} {Accepted.Message}", $"{Programmed.Status} {Programmed.Reason}", $"{Applied?.Status} {Applied?.Reason}", .. Findings.Select(f => $"{f.Id} {f.Origin.Path} {f.Fact}")]);

    /// <summary>The status as JSON; a condition that has not turned keeps the time at which it did.</summary>
    public JsonObject ToJson(JsonObject item, DateTimeOffset now)
    {
        var status = new JsonObject
        {
            ["observedGeneration"] = item.Number("metadata", "generation") ?? 0,
            ["conditions"] = new JsonArray(
            [
                Write("Accepted", Accepted, item, now),
                Write("Programmed", Programmed, item, now),
                .. Applied is null ? (JsonNode[])[] : [Write("Applied", Applied, item, now)],
            ]),
        };

        // Null removes what an earlier version had (RFC 7396).
        status["validationMessages"] = Findings.Count == 0 ? null : new JsonArray([.. Findings.Take(MaxFindings).Select(Write)]);
        return status;
    }

    private static JsonObject Write(string type, Condition condition, JsonObject item, DateTimeOffset now)
    {
        var before = item.Objects("status", "conditions").FirstOrDefault(c => c.Text("type") == type);
        var since = before?.Text("status") == condition.Status ? before.Text("lastTransitionTime") : null;
        return new JsonObject
        {
            ["type"] = type,
            ["status"] = condition.Status,
            ["reason"] = condition.Reason,
            ["message"] = condition.Message,
            ["observedGeneration"] = item.Number("metadata", "generation") ?? 0,
            ["lastTransitionTime"] = since ?? now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        };
    }

    private static JsonObject Write(Diagnostic finding)
    {
        var (code, level) = IstioCodes.Of(finding);
        return new JsonObject
        {
            ["type"] = new JsonObject { ["code"] = code, ["name"] = finding.Id },
            ["level"] = level.ToString().ToUpperInvariant(),
            ["path"] = finding.Origin.Path,
            ["message"] = finding.Cure is null ? finding.Fact : $"{finding.Fact} {finding.Cure}",
        };
    }
}

/// <summary>One condition of a status.</summary>
internal sealed record Condition(string Status, string Reason, string Message)
{
    public const string True = "True";
    public const string False = "False";
    public const string Unknown = "Unknown";
}
