// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Protocols.Http1;

namespace Weft.Protocols.Tests.Http1;

/// <summary>Path normalisation the plain way, over strings, one rule after the other: the oracle for the one that works in place.</summary>
internal static partial class SlowPath
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    /// <summary>Null if the path is refused.</summary>
    internal static string? Normalize(string path, PathRules rules)
    {
        if (rules.HasFlag(PathRules.RefuseEscapedSlashes) && EscapedSlash().IsMatch(path))
        {
            return null;
        }

        if (rules.HasFlag(PathRules.DecodeSlashes))
        {
            path = EscapedSlash().Replace(path, escape => escape.Value[1] == '2' ? "/" : "\\");
        }

        if (rules.HasFlag(PathRules.Normalize))
        {
            if (WrongEscape().IsMatch(path))
            {
                return null;
            }

            path = Escape().Replace(path, escape => Decode(escape.Value)).Replace('\\', '/');
            var segments = new List<string>();
            foreach (var segment in path[1..].Split('/'))
            {
                if (segment.StartsWith(".;", StringComparison.Ordinal) || segment.StartsWith("..;", StringComparison.Ordinal))
                {
                    return null;
                }

                segments.Add(segment);
            }

            path = Resolve(segments);
        }

        return rules.HasFlag(PathRules.MergeSlashes) ? Slashes().Replace(path, "/") : path;
    }

    /// <summary>RFC 3986 5.2.4, segment by segment; a dot segment at the end leaves its slash.</summary>
    private static string Resolve(List<string> segments)
    {
        var kept = new Stack<string>();
        for (var i = 0; i < segments.Count; i++)
        {
            var isDot = segments[i] is "." or "..";
            if (segments[i] == "..")
            {
                kept.TryPop(out _);
            }

            if (!isDot)
            {
                kept.Push(segments[i]);
            }
            else if (i == segments.Count - 1)
            {
                kept.Push("");
            }
        }

        return "/" + string.Join('/', kept.Reverse());
    }

    private static string Decode(string escape)
    {
        var decoded = (char)int.Parse(escape.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return Unreserved.Contains(decoded, StringComparison.Ordinal) ? decoded.ToString() : escape;
    }

    [GeneratedRegex("%2[fF]|%5[cC]")]
    private static partial Regex EscapedSlash();

    [GeneratedRegex("%(?![0-9a-fA-F]{2})")]
    private static partial Regex WrongEscape();

    [GeneratedRegex("%[0-9a-fA-F]{2}")]
    private static partial Regex Escape();

    [GeneratedRegex("//+")]
    private static partial Regex Slashes();
}
