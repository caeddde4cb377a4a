// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>Texts of the form <c>region/zone/subzone</c>, from the right as short as can be; empty where nothing is known.</summary>
public static class Localities
{
    private const int Parts = 3;

    public static string Join(string region, string zone, string subzone) => $"{region}/{zone}/{subzone}".TrimEnd('/');

    /// <summary>The three parts; what is missing is empty, what is more is left out.</summary>
    public static (string Region, string Zone, string Subzone) Split(string locality)
    {
        var parts = locality.Split('/', Parts + 1);
        return (parts[0], parts.Length > 1 ? parts[1] : "", parts.Length > 2 ? parts[2] : "");
    }
}
