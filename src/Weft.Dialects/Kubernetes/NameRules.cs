// SPDX-License-Identifier: Apache-2.0

namespace Weft.Dialects.Kubernetes;

/// <summary>How objects may be named. Most names are DNS subdomains; some kinds are stricter.</summary>
internal static class NameRules
{
    private const int MaxSubdomain = 253;
    private const int MaxLabel = 63;

    /// <summary>Why a name is not valid for a kind; null if it is.</summary>
    public static string? Problem(string kind, string name) => kind switch
    {
        "Namespace" => LabelProblem(name),
        "Service" => ServiceProblem(name),
        _ => SubdomainProblem(name),
    };

    /// <summary>RFC 1123 label.</summary>
    public static string? LabelProblem(string name)
    {
        if (name.Length is 0 or > MaxLabel)
        {
            return $"it must have 1 to {MaxLabel} characters";
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
            {
                return "only lower-case letters, digits and '-' are allowed";
            }
        }

        return name[0] == '-' || name[^1] == '-' ? "it must begin and end with a letter or digit" : null;
    }

    /// <summary>RFC 1123 subdomain: labels separated by dots.</summary>
    public static string? SubdomainProblem(string name)
    {
        if (name.Length is 0 or > MaxSubdomain)
        {
            return $"it must have 1 to {MaxSubdomain} characters";
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('-' or '.'))
            {
                return "only lower-case letters, digits, '-' and '.' are allowed";
            }
        }

        foreach (var part in name.Split('.'))
        {
            if (part.Length == 0 || part[0] == '-' || part[^1] == '-')
            {
                return "each part between dots must begin and end with a letter or digit";
            }
        }

        return null;
    }

    private static string? ServiceProblem(string name) =>
        LabelProblem(name) ?? (char.IsAsciiLetterLower(name[0]) ? null : "it must begin with a letter (RFC 1035)");
}
