// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>Labels: <c>[dns-subdomain/]name</c> and a value, names and values of at most 63 letters, digits, '-', '_' and '.'.</summary>
internal static class LabelSyntax
{
    private const int MaxLength = 63;

    public static void Check(ObjectReader owner, string field)
    {
        foreach (var (key, value) in owner.Map(field))
        {
            Check(key, value);
        }
    }

    public static void Check(string key, Field value)
    {
        CheckKey(key, value);
        if (value.Value is Yaml.YamlScalar { Kind: Yaml.ScalarKind.Text, Value: var text } && ValueProblem(text) is { } problem)
        {
            value.Report(KubernetesMessages.BadLabelValue, text, key, problem);
        }
    }

    public static void CheckKeys(ObjectReader owner, string field)
    {
        foreach (var (key, value) in owner.Map(field))
        {
            CheckKey(key, value);
        }
    }

    public static string? KeyProblem(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0 && NameRules.SubdomainProblem(key[..slash]) is { } problem)
        {
            return $"the part before '/' is no domain: {problem}";
        }

        var name = key[(slash + 1)..];
        return name.Length == 0 ? "the name is empty" : ValueProblem(name);
    }

    public static string? ValueProblem(string value)
    {
        if (value.Length == 0)
        {
            return null;
        }

        if (value.Length > MaxLength)
        {
            return $"it has more than {MaxLength} characters";
        }

        foreach (var c in value)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
            {
                return "only letters, digits, '-', '_' and '.' are allowed";
            }
        }

        return char.IsAsciiLetterOrDigit(value[0]) && char.IsAsciiLetterOrDigit(value[^1])
            ? null
            : "it must begin and end with a letter or digit";
    }

    private static void CheckKey(string key, Field value)
    {
        if (KeyProblem(key) is { } problem)
        {
            value.Findings.Add(KubernetesMessages.BadLabelKey, value.KeyPlace, key, problem);
        }
    }
}
