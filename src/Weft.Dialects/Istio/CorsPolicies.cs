// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>corsPolicy: which pages of other origins may ask.</summary>
internal static class CorsPolicies
{
    private const int MsPerSecond = 1000;

    private static readonly Choices<bool> _unmatched = new(("UNSPECIFIED", true), ("FORWARD", true), ("IGNORE", false));

    public static CorsPlan Read(ObjectReader cors)
    {
        cors.Exclusive("allowOrigins", "allowOrigin");
        var origins = cors.List("allowOrigins").Select(origin => TextMatches.Read(origin)).OfType<TextMatchPlan>().ToList();
        if (cors.Find("allowOrigin") is { } old)
        {
            cors.Findings.Add(ReadingMessages.DeprecatedField, old.KeyPlace, old.Path, "allowOrigins");
            origins.AddRange(cors.Texts("allowOrigin").Select(text => new TextMatchPlan(TextMatchKind.Exact, text.Key)));
        }

        var plan = new CorsPlan(
            [.. origins],
            Tokens(cors, "allowMethods"),
            Tokens(cors, "allowHeaders"),
            Tokens(cors, "exposeHeaders"),
            MaxAge(cors),
            cors.Boolean("allowCredentials") ?? false,
            cors.Choice("unmatchedPreflights", _unmatched) ?? true);
        cors.Finish();
        return plan;
    }

    /// <summary>Methods and header names are tokens alike; a single <c>*</c> is one, too.</summary>
    private static string Tokens(ObjectReader cors, string name)
    {
        var texts = cors.Texts(name);
        foreach (var (text, field) in texts)
        {
            if (!HeaderNames.IsToken(text))
            {
                field.Report(IstioMessages.BadHeaderName, text);
            }
        }

        return string.Join(',', texts.Select(text => text.Key));
    }

    private static long MaxAge(ObjectReader cors)
    {
        if (cors.Find("maxAge") is not { } field || field.AsDurationMs(0) is not { } age)
        {
            return -1;
        }

        if (age % MsPerSecond != 0)
        {
            field.Report(ReadingMessages.BadDuration, field.AsText() ?? "", field.Path, "it must be whole seconds");
        }

        return age / MsPerSecond;
    }
}
