// SPDX-License-Identifier: Apache-2.0

using System.Buffers;

namespace Weft.Dialects.Istio;

/// <summary>Names and values of HTTP headers.</summary>
internal static class HeaderNames
{
    private static readonly SearchValues<char> _token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    /// <summary>RFC 9110 §5.6.2.</summary>
    public static bool IsToken(string name) => name.Length > 0 && !name.AsSpan().ContainsAnyExcept(_token);

    /// <summary>Why a text is no header value: it may hold <c>%%</c> and <c>%OPERATOR%</c> but no single percent sign or line break.</summary>
    public static string? ValueProblem(string value)
    {
        foreach (var c in value)
        {
            if (c is '\r' or '\n' or '\0')
            {
                return "it holds a line break or a zero character";
            }
        }

        for (var at = value.IndexOf('%', StringComparison.Ordinal); at >= 0;)
        {
            var end = value.IndexOf('%', at + 1);
            if (end < 0)
            {
                return "a '%' stands alone";
            }

            if (end > at + 1 && !char.IsAsciiLetterUpper(value[at + 1]))
            {
                return $"'{value[at..(end + 1)]}' is no operator";
            }

            at = value.IndexOf('%', end + 1);
        }

        return null;
    }
}
