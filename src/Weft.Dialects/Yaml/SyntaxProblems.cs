// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using YamlDotNet.Core;

namespace Weft.Dialects.Yaml;

/// <summary>Says in an operator's words why a text is no YAML.</summary>
internal static class SyntaxProblems
{
    // What the parser's sentence contains, and what most often causes it.
    private static readonly (string Word, string Reason)[] _reasons =
    [
        ("invalid mapping", "a second ': ' stands in this line; quote the value if it is one."),
        ("expected key", "this line is indented differently from the lines that it belongs to."),
        ("quoted scalar", "the quoted text that begins here has no end or holds an invalid escape."),
        ("cannot start any token", "a value cannot begin with this character; quote it."),
        ("sequence entries are not allowed", "a list item ('- ') cannot begin here."),
        ("mapping values are not allowed", "a key cannot stand here; check the indentation of this and the line before."),
        ("mapping keys are not allowed", "a key cannot stand here; check the indentation of this and the line before."),
        ("could not find expected ':'", "the line is neither a 'key: value' nor a continuation of the one before."),
        ("document start", "this line does not belong to what stands before it."),
        ("document end", "this line does not belong to what stands before it."),
        ("flow", "a bracket or brace is not closed, or a comma is missing."),
        ("node content", "a value is missing here."),
        ("tag handle", "the tag uses a handle that is not declared."),
    ];

    public static Diagnostic Describe(string file, DocumentText document, Mark mark, string message)
    {
        var (line, column) = Inside(document.Text, Math.Max((int)mark.Line, 1), Math.Max((int)mark.Column, 1));
        var position = new Position(file, document.FirstLine + line - 1, column);
        if (TabAtOrAfter(document.Text, line, message.Contains("tab", StringComparison.OrdinalIgnoreCase)) is var (tabLine, tabColumn))
        {
            return ReadingMessages.TabIndentation.At(
                YamlReader.At(new Position(file, document.FirstLine + tabLine - 1, tabColumn)));
        }

        foreach (var (word, reason) in _reasons)
        {
            if (message.Contains(word, StringComparison.OrdinalIgnoreCase))
            {
                return ReadingMessages.YamlSyntax.At(YamlReader.At(position), reason);
            }
        }

        return ReadingMessages.YamlSyntax.At(
            YamlReader.At(position),
            message.Length == 0 ? "a bracket, brace or quote is not closed, or the indentation does not fit." : message);
    }

    /// <summary>What is missing at the end is reported behind the last text, not on a line that does not exist.</summary>
    private static (int Line, int Column) Inside(string text, int line, int column)
    {
        var end = text.AsSpan().TrimEnd();
        var lines = end.Count('\n') + 1;
        return line <= lines ? (line, column) : (lines, end.Length - (end.LastIndexOf('\n') + 1) + 1);
    }

    /// <summary>
    /// The place of a tab in the indentation of a line. The parser's mark for one is where the mapping began, so the search may have
    /// to go on behind it.
    /// </summary>
    private static (int Line, int Column)? TabAtOrAfter(string text, int line, bool after)
    {
        var current = 1;
        foreach (var written in text.AsSpan().EnumerateLines())
        {
            if (current >= line && TabIn(written) is { } column)
            {
                return (current, column);
            }

            if (current >= line && !after)
            {
                return null;
            }

            current++;
        }

        return null;
    }

    private static int? TabIn(ReadOnlySpan<char> line)
    {
        var indentation = line.IndexOfAnyExcept(' ', '\t') is var end && end < 0 ? line : line[..end];
        return indentation.IndexOf('\t') is var tab && tab >= 0 ? tab + 1 : null;
    }
}
