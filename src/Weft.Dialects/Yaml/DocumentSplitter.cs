// SPDX-License-Identifier: Apache-2.0

namespace Weft.Dialects.Yaml;

/// <summary>
/// Cuts a text at its document markers before any of it is parsed, so that a broken document cannot take the others with it.
/// A line that begins with <c>---</c> or <c>...</c> is a marker wherever it stands, inside of a quoted or block scalar too
/// (YAML 1.2 §9.1.2).
/// </summary>
internal static class DocumentSplitter
{
    public static IEnumerable<DocumentText> Split(string text)
    {
        // Line breaks are made one form first: what counts lines later must agree about what a line is.
        var lines = text.TrimStart('\ufeff').Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var (begin, beginLine, line) = (0, 1, 1);
        for (var at = 0; at < lines.Length; line++)
        {
            var next = lines.IndexOf('\n', at) is var end && end < 0 ? lines.Length : end + 1;
            var isEnd = IsMarker(lines, at, "...");
            if ((isEnd || IsMarker(lines, at, "---")) && at > begin)
            {
                yield return Piece(lines[begin..at], beginLine);
                (begin, beginLine) = (at, line);
            }

            if (isEnd)
            {
                (begin, beginLine) = (next, line + 1);
            }

            at = next;
        }

        if (begin < lines.Length)
        {
            yield return Piece(lines[begin..], beginLine);
        }
    }

    /// <summary>A directive belongs to the document after it and says nothing that is needed; parsers choke on one that stands alone.</summary>
    private static DocumentText Piece(string text, int firstLine)
    {
        if (!text.StartsWith('%') && !text.Contains("\n%", StringComparison.Ordinal))
        {
            return new DocumentText(text, firstLine);
        }

        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith('%'))
            {
                lines[i] = "";
            }
            else if (lines[i].Trim() is [not '#', ..])
            {
                break;
            }
        }

        return new DocumentText(string.Join('\n', lines), firstLine);
    }

    private static bool IsMarker(string text, int at, string marker) =>
        string.CompareOrdinal(text, at, marker, 0, marker.Length) == 0
        && (at + 3 == text.Length || text[at + 3] is ' ' or '\t' or '\n');
}
