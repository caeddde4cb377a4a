// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Yaml;

/// <summary>Turns byte offsets of a UTF-8 text, asked for in rising order, into lines and columns; without a file into none.</summary>
internal sealed class PlaceCursor(string? file, int firstLine)
{
    private int _offset;
    private int _line = firstLine;
    private int _column = 1;

    public Position At(ReadOnlySpan<byte> text, long offset)
    {
        if (file is null)
        {
            return Position.None;
        }

        for (; _offset < offset; _offset++)
        {
            var b = text[_offset];
            if (b == '\n')
            {
                (_line, _column) = (_line + 1, 1);
            }
            else if ((b & 0xC0) != 0x80)
            {
                // Columns count UTF-16 units, as the YAML parser's do.
                _column += b >= 0xF0 ? 2 : 1;
            }
        }

        return new Position(file, _line, _column);
    }
}
