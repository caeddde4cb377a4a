// SPDX-License-Identifier: Apache-2.0

namespace Weft.Dialects.Kubernetes;

/// <summary>Names of container ports: RFC 6335 §5.1.</summary>
internal static class PortNames
{
    private const int MaxLength = 15;

    public static string? Problem(string name)
    {
        if (name.Length is 0 or > MaxLength)
        {
            return $"it must have 1 to {MaxLength} characters";
        }

        var hasLetter = false;
        foreach (var c in name)
        {
            hasLetter |= char.IsAsciiLetterLower(c);
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
            {
                return "only lower-case letters, digits and '-' are allowed";
            }
        }

        if (!hasLetter)
        {
            return "it must have a letter";
        }

        return name[0] == '-' || name[^1] == '-' || name.Contains("--", StringComparison.Ordinal)
            ? "'-' must stand alone between letters or digits"
            : null;
    }
}
