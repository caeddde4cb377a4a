// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Cli.Output;

/// <summary>Columns as wide as their longest cell, headers in capitals, two blanks between; nothing is cut or wrapped.</summary>
internal sealed class Table(params string[] headers)
{
    private readonly List<string[]> _rows = [];

    public int Count => _rows.Count;

    public void Add(params string[] cells)
    {
        if (cells.Length != headers.Length)
        {
            throw new ArgumentException($"A row of {cells.Length} cells in a table of {headers.Length} columns.", nameof(cells));
        }

        _rows.Add([.. cells.Select(cell => cell.Length == 0 ? "-" : cell)]);
    }

    public override string ToString()
    {
        var widths = headers.Select((header, i) => _rows.Select(row => row[i].Length).Append(header.Length).Max()).ToArray();
        var text = new StringBuilder();
        foreach (var row in _rows.Prepend(headers))
        {
            var line = string.Concat(row.Select((cell, i) => i == row.Length - 1 ? cell : cell.PadRight(widths[i] + 2)));
            text.Append(line.TrimEnd()).Append('\n');
        }

        return text.ToString();
    }
}
