// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>mirror and mirrors: who gets copies of requests, and of how many.</summary>
internal static class Mirrors
{
    public static EquatableArray<Mirror> Read(ObjectContext context, ObjectReader rule)
    {
        rule.Exclusive("mirror", "mirrors");
        var mirrors = rule.Children("mirrors").Select(mirror => ReadOne(context, mirror)).ToList();
        foreach (var share in new[] { "mirrorPercentage", "mirrorPercent" })
        {
            if (!rule.Has("mirror") && rule.Find(share) is { } alone)
            {
                rule.Findings.Add(IstioMessages.PercentageWithoutMirror, alone.KeyPlace, alone.Path);
            }
        }

        var ppm = Percentages.Share(rule, "mirrorPercentage", "mirrorPercent");
        if (rule.Child("mirror") is { } destination)
        {
            mirrors.Add(new Mirror(Destinations.ReadPlace(context, destination), ppm));
        }

        return [.. mirrors];
    }

    private static Mirror ReadOne(ObjectContext context, ObjectReader mirror)
    {
        var destination = Destinations.ReadTarget(context, mirror);
        var ppm = Percentages.Share(mirror, "percentage");
        mirror.Finish();
        return new Mirror(destination, ppm);
    }
}
