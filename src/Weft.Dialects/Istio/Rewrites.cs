// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>rewrite: change path or authority before forwarding.</summary>
internal static class Rewrites
{
    public static RewritePlan Read(ObjectReader rewrite)
    {
        rewrite.Exclusive("uri", "uriRegexRewrite");
        var path = rewrite.NonEmptyText("uri");
        var authority = rewrite.NonEmptyText("authority");
        string? pattern = null, substitution = null;
        if (rewrite.Child("uriRegexRewrite") is { } regex)
        {
            pattern = regex.RequiredText("match");
            substitution = regex.Required("rewrite")?.AsText();
            if (pattern is not null && TextMatches.CheckRegex(regex.Find("match")!.Value, pattern, wholeText: false) && substitution is not null)
            {
                CheckGroups(regex.Find("rewrite")!.Value, pattern, substitution);
            }

            regex.Finish();
        }

        if (rewrite.Mapping.Entries.Count == 0)
        {
            rewrite.Findings.Add(IstioMessages.EmptyPolicy, rewrite.Place, rewrite.Path);
        }

        rewrite.Finish();
        return new RewritePlan(path, authority, pattern, substitution);
    }

    private static void CheckGroups(Field field, string pattern, string substitution)
    {
        if (!Re2.TryCompile(pattern, wholeText: false, out var regex, out _))
        {
            return;
        }

        var count = regex.GetGroupNumbers().Length - 1;
        for (var i = 0; i < substitution.Length; i++)
        {
            if (substitution[i] != '\\')
            {
                continue;
            }

            i++;
            var next = i < substitution.Length ? substitution[i] : ' ';
            if (next != '\\' && (!char.IsAsciiDigit(next) || next - '0' > count))
            {
                field.Report(IstioMessages.SubstitutionGroup, substitution, $"\\{next}", YamlReader.Number(count));
                return;
            }
        }
    }
}
