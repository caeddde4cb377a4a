// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Model.Plan;

/// <summary>Translates one bracketed class. In .NET a '[' inside of it would begin a subtraction, so it is escaped.</summary>
internal sealed class Re2ClassTranslator(string pattern, StringBuilder output)
{
    /// <summary>Begins at '[' and ends behind ']'; the result is a problem or null.</summary>
    public string? Translate(ref int at)
    {
        output.Append('[');
        at++;
        if (at < pattern.Length && pattern[at] == '^')
        {
            output.Append('^');
            at++;
        }

        for (var first = true; at < pattern.Length; first = false)
        {
            var c = pattern[at];
            if (c == ']' && !first)
            {
                output.Append(']');
                at++;
                return null;
            }

            if (Item(c, ref at) is { } problem)
            {
                return problem;
            }
        }

        return "a '[' is not closed";
    }

    private string? Item(char c, ref int at)
    {
        if (c == '\\')
        {
            return at + 1 < pattern.Length
                ? Re2Escapes.Translate(pattern, ref at, output, inClass: true)
                : "it ends in a single backslash";
        }

        if (c == '[' && at + 1 < pattern.Length && pattern[at + 1] == ':')
        {
            var end = pattern.IndexOf(":]", at + 2, StringComparison.Ordinal);
            if (end >= 0)
            {
                var name = pattern[(at + 2)..end];
                if (Re2Classes.OfName(name) is not { } ranges)
                {
                    return $"the class '[:{name}:]' is not known";
                }

                output.Append(ranges);
                at = end + 2;
                return null;
            }
        }

        // A '-' stands as it is: it makes ranges where RE2 has them and is itself at the edges.
        if (c == '-')
        {
            output.Append(c);
        }
        else
        {
            Re2Escapes.AppendLiteral(output, c);
        }

        at++;
        return null;
    }
}
