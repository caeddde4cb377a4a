// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.ApiServer.Validation;

/// <summary>The syntaxes of names, with the explanations that Kubernetes gives.</summary>
internal static partial class NameText
{
    private const int LongestLabel = 63;
    private const int LongestSubdomain = 253;

    public static IEnumerable<string> DnsLabel(string text) => Check(text, LongestLabel, Label(), LabelHelp);

    public static IEnumerable<string> DnsLabel1035(string text) => Check(text, LongestLabel, Label1035(), Label1035Help);

    public static IEnumerable<string> DnsSubdomain(string text) => Check(text, LongestSubdomain, Subdomain(), SubdomainHelp);

    /// <summary>Names that may hold anything that fits between two slashes of a path.</summary>
    public static IEnumerable<string> PathSegment(string text)
    {
        if (text is "." or "..")
        {
            yield return $"may not be '{text}'";
        }

        foreach (var forbidden in new[] { "/", "%" })
        {
            if (text.Contains(forbidden, StringComparison.Ordinal))
            {
                yield return $"may not contain '{forbidden}'";
            }
        }
    }

    public static IEnumerable<string> LabelValue(string text) =>
        text.Length == 0 ? [] : Check(text, LongestLabel, Qualified(), LabelValueHelp);

    public static IEnumerable<string> QualifiedName(string text)
    {
        var parts = text.Split('/');
        if (parts.Length > 2)
        {
            return ["a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
                    "alphanumeric character with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"];
        }

        var problems = new List<string>();
        if (parts.Length == 2)
        {
            problems.AddRange(parts[0].Length == 0
                ? ["prefix part must be non-empty"]
                : DnsSubdomain(parts[0]).Select(problem => "prefix part " + problem));
        }

        problems.AddRange(parts[^1].Length == 0
            ? ["name part must be non-empty"]
            : Check(parts[^1], LongestLabel, Qualified(), QualifiedHelp).Select(problem => "name part " + problem));
        return problems;
    }

    public static IEnumerable<string> ConfigurationKey(string text) => text is "." or ".."
        ? [$"must not be '{text}'"]
        : Check(text, LongestSubdomain, Key(), KeyHelp);

    /// <summary>Names of ports: at most 15 letters, digits and single dashes, with a letter among them.</summary>
    public static IEnumerable<string> PortName(string text)
    {
        if (text.Length > 15)
        {
            yield return "must be no more than 15 characters";
        }

        if (!PortCharacters().IsMatch(text))
        {
            yield return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
        }

        if (!text.Any(char.IsAsciiLetterLower))
        {
            yield return "must contain at least one letter (a-z)";
        }

        if (text.Contains("--", StringComparison.Ordinal))
        {
            yield return "must not contain consecutive hyphens";
        }

        if (text.StartsWith('-') || text.EndsWith('-'))
        {
            yield return "must not begin or end with a hyphen";
        }
    }

    private const string LabelHelp =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
        "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

    private const string Label1035Help =
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end " +
        "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

    private const string SubdomainHelp =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
        "with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
        @"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    private const string LabelValueHelp =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
        "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is " +
        "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    private const string KeyHelp =
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or " +
        "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

    private const string QualifiedHelp =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. " +
        "'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

    private static IEnumerable<string> Check(string text, int longest, Regex syntax, string help)
    {
        if (text.Length > longest)
        {
            yield return $"must be no more than {longest} characters";
            yield break;
        }

        if (!syntax.IsMatch(text))
        {
            yield return help;
        }
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?\\z")]
    private static partial Regex Label();

    [GeneratedRegex("^[a-z]([-a-z0-9]*[a-z0-9])?\\z")]
    private static partial Regex Label1035();

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\z")]
    private static partial Regex Subdomain();

    [GeneratedRegex("^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\\z")]
    private static partial Regex Qualified();

    [GeneratedRegex("^[-._a-zA-Z0-9]+\\z")]
    private static partial Regex Key();

    [GeneratedRegex("^[-a-z0-9]+\\z")]
    private static partial Regex PortCharacters();
}
