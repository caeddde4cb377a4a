// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.ApiServer.Resources;

/// <summary>
/// Which version of a kind clients prefer: stable before beta before alpha, higher numbers first, other names last in the order
/// of the alphabet.
/// </summary>
public sealed partial class VersionOrder : IComparer<string>
{
    public static VersionOrder Preferred { get; } = new();

    public int Compare(string? x, string? y)
    {
        var left = Rank(x ?? "");
        var right = Rank(y ?? "");
        var byRank = right.Stage.CompareTo(left.Stage);
        byRank = byRank != 0 ? byRank : right.Major.CompareTo(left.Major);
        byRank = byRank != 0 ? byRank : right.Minor.CompareTo(left.Minor);
        return byRank != 0 ? byRank : string.CompareOrdinal(x, y);
    }

    private static (int Stage, long Major, long Minor) Rank(string version)
    {
        var match = Shape().Match(version);
        if (!match.Success)
        {
            return (0, 0, 0);
        }

        var stage = match.Groups[2].Value switch { "alpha" => 1, "beta" => 2, _ => 3 };
        return (stage, Number(match.Groups[1].Value), stage == 3 ? 0 : Number(match.Groups[3].Value));
    }

    private static long Number(string digits) => long.Parse(digits, CultureInfo.InvariantCulture);

    [GeneratedRegex("^v([1-9][0-9]{0,8})(?:(alpha|beta)([1-9][0-9]{0,8}))?\\z")]
    private static partial Regex Shape();
}
