// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Istio;

/// <summary>Percentages with decimals, as parts per million.</summary>
internal static class Percentages
{
    private const int Always = 1_000_000;
    private const double PpmOfOnePercent = 10_000;

    /// <summary>The share of requests that something is for, in parts per million; absent means every request.</summary>
    public static int Share(ObjectReader owner, string name, string deprecated)
    {
        owner.Exclusive(name, deprecated);
        if (owner.Find(deprecated) is { } old)
        {
            owner.Findings.Add(ReadingMessages.DeprecatedField, old.KeyPlace, old.Path, name);
            return Ppm(old);
        }

        return Share(owner, name);
    }

    public static int Share(ObjectReader owner, string name)
    {
        if (owner.Child(name) is not { } percentage)
        {
            return Always;
        }

        // A percentage without a value is 0, as in the protocol's own defaults.
        var share = percentage.Find("value") is { } value ? Ppm(value) : 0;
        percentage.Finish();
        return share;
    }

    public static int Ppm(Field field)
    {
        if (field.Value is not YamlScalar { Kind: ScalarKind.Whole or ScalarKind.Real } scalar)
        {
            field.Report(ReadingMessages.WrongType, field.Path, "a number", field.Value.Description);
            return 0;
        }

        if (double.TryParse(scalar.Value, CultureInfo.InvariantCulture, out var percent) && percent is >= 0 and <= 100)
        {
            return (int)Math.Round(percent * PpmOfOnePercent);
        }

        field.Report(IstioMessages.BadPercentage, field.Path, scalar.Source);
        return 0;
    }
}
