// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Istio;

/// <summary>Percentages with decimals, as parts per million.</summary>
internal static class Percentages
{
    private const double PpmOfOnePercent = 10_000;

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
