// SPDX-License-Identifier: Apache-2.0

using System.Net;

namespace Weft.Dialects.Istio;

/// <summary>What may stand where Istio wants a host.</summary>
internal static class Hosts
{
    private const int MaxHost = 255;
    private const int MaxLabel = 63;

    /// <summary>Why a text is no host; null if it is a name, an address, or a wildcard.</summary>
    public static string? Problem(string host)
    {
        if (host.Length is 0 or > MaxHost)
        {
            return $"it must have 1 to {MaxHost} characters";
        }

        if (host is "*" || IPAddress.TryParse(host, out _))
        {
            return null;
        }

        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        if (name.Contains('*', StringComparison.Ordinal))
        {
            return "a wildcard may only be the whole first part, as in *.example.com";
        }

        foreach (var label in name.Split('.'))
        {
            if (LabelProblem(label) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static string? LabelProblem(string label)
    {
        if (label.Length is 0 or > MaxLabel)
        {
            return $"each part between dots must have 1 to {MaxLabel} characters";
        }

        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return c == ':' ? "a host has no port here" : "only letters, digits, '-' and dots are allowed";
            }
        }

        return label[0] == '-' || label[^1] == '-' ? "each part must begin and end with a letter or digit" : null;
    }
}
