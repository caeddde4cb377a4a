// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.RegularExpressions;
using Weft.Model.Plan;

namespace Weft.Proxy.Routing;

/// <summary>A route's change of the path, compiled. Prefixes and whole paths are replaced without allocation.</summary>
internal sealed class PathRewrite
{
    private readonly byte[] _path;
    private readonly int _prefixLength;
    private readonly Regex? _regex;
    private readonly string _substitution;

    private PathRewrite(byte[] path, int prefixLength, Regex? regex, string substitution) =>
        (_path, _prefixLength, _regex, _substitution) = (path, prefixLength, regex, substitution);

    /// <summary>Null if the route leaves the path; throws <see cref="FormatException"/> if its expression is not valid.</summary>
    public static PathRewrite? Compile(RewritePlan? plan, RouteMatchPlan match)
    {
        if (plan?.RegexPattern is { } pattern)
        {
            return Re2.TryCompile(pattern, wholeText: false, out var regex, out var problem)
                ? new PathRewrite([], -1, regex, ToNet(plan.RegexSubstitution ?? ""))
                : throw new FormatException($"the regular expression '{pattern}' is not valid: {problem}");
        }

        return plan?.Path is { } path
            ? new PathRewrite(
                Encoding.UTF8.GetBytes(path),
                match.Path.Kind == TextMatchKind.Prefix ? Encoding.UTF8.GetByteCount(match.Path.Value) : -1,
                null,
                "")
            : null;
    }

    /// <summary>Writes the new path (without query) at the front of the room; false if it does not fit.</summary>
    public bool TryWrite(ReadOnlySpan<byte> path, Span<byte> room, out int length)
    {
        if (_regex is not null)
        {
            return TryReplace(path, room, out length);
        }

        var rest = _prefixLength >= 0 && path.Length > _prefixLength ? path[_prefixLength..] : default;
        if (_path is [.., (byte)'/'] && rest is [(byte)'/', ..])
        {
            // Prefix /a rewritten to / must not make //b of /a/b.
            rest = rest[1..];
        }

        length = _path.Length + rest.Length;
        if (length > room.Length)
        {
            return false;
        }

        _path.CopyTo(room);
        rest.CopyTo(room[_path.Length..]);
        return true;
    }

    /// <summary>Allocates: .NET has no replacement into a span. Bounded by the room.</summary>
    private bool TryReplace(ReadOnlySpan<byte> path, Span<byte> room, out int length)
    {
        var text = _regex!.Replace(Encoding.UTF8.GetString(path), _substitution);
        return Encoding.UTF8.TryGetBytes(text, room, out length);
    }

    /// <summary>RE2 writes groups as \1 and a backslash as \\; .NET writes $1, and $ means something.</summary>
    private static string ToNet(string substitution)
    {
        var text = new StringBuilder();
        for (var i = 0; i < substitution.Length; i++)
        {
            var next = i + 1 < substitution.Length ? substitution[i + 1] : '\0';
            if (substitution[i] == '\\' && char.IsAsciiDigit(next))
            {
                text.Append("${").Append(next).Append('}');
                i++;
            }
            else if (substitution[i] == '\\' && next == '\\')
            {
                text.Append('\\');
                i++;
            }
            else if (substitution[i] == '$')
            {
                text.Append("$$");
            }
            else
            {
                text.Append(substitution[i]);
            }
        }

        return text.ToString();
    }
}
