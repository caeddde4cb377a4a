// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>StringMatch: exactly one of exact, prefix, regex.</summary>
internal static class TextMatches
{
    private static readonly string[] _kinds = ["exact", "prefix", "regex"];

    /// <summary>Null if it is wrong, which is reported.</summary>
    public static TextMatchPlan? Read(Field field, bool invert = false, bool ignoreCase = false)
    {
        if (field.AsObject() is not { } match)
        {
            return null;
        }

        var given = _kinds.Count(match.Has);
        match.Finish();
        if (given != 1)
        {
            field.Report(IstioMessages.MatchKindCount, field.Path);
            return null;
        }

        if (match.Find("exact") is { } exact)
        {
            return exact.AsText() is { } text ? new TextMatchPlan(TextMatchKind.Exact, text, invert, ignoreCase) : null;
        }

        if (match.Has("prefix"))
        {
            return match.NonEmptyText("prefix") is { } prefix
                ? new TextMatchPlan(TextMatchKind.Prefix, prefix, invert, ignoreCase)
                : null;
        }

        return match.NonEmptyText("regex") is { } pattern && CheckRegex(match.Find("regex")!.Value, pattern, wholeText: true)
            ? new TextMatchPlan(TextMatchKind.Regex, pattern, invert)
            : null;
    }

    /// <summary>A condition on a header or parameter: a match, or an empty one or <c>regex: "*"</c> for mere presence.</summary>
    public static TextMatchPlan? ReadOrPresent(Field field, bool invert = false)
    {
        var isPresence = field.Value is YamlScalar { Kind: ScalarKind.Null } or YamlMapping { Entries.Count: 0 }
            || (field.Value is YamlMapping { Entries: [{ Key: "regex", Value: YamlScalar { Kind: ScalarKind.Text, Value: "*" } }] });
        return isPresence ? new TextMatchPlan(TextMatchKind.Present, "", invert) : Read(field, invert);
    }

    /// <summary>Reports an expression that RE2 would refuse.</summary>
    public static bool CheckRegex(Field field, string pattern, bool wholeText)
    {
        if (pattern.Length > Re2.MaxLength)
        {
            field.Report(IstioMessages.RegexTooLong, field.Path, YamlReader.Number(pattern.Length), YamlReader.Number(Re2.MaxLength));
            return false;
        }

        if (Re2.TryCompile(pattern, wholeText, out _, out var problem))
        {
            return true;
        }

        field.Report(IstioMessages.BadRegex, pattern, field.Path, problem);
        return false;
    }
}
