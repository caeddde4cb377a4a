// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Wire.Tables;

/// <summary>Rows of text under column titles, aligned as Istio's tools do: left, five spaces between columns, nothing after the last.</summary>
public sealed record TextTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    private const int Padding = 5;

    public override string ToString()
    {
        var widths = Columns.Select((c, i) => Rows.Aggregate(c.Length, (w, row) => Math.Max(w, row[i].Length))).ToArray();
        var text = new StringBuilder();
        foreach (var row in Rows.Prepend(Columns))
        {
            for (var i = 0; i < row.Count - 1; i++)
            {
                text.Append(row[i].PadRight(widths[i] + Padding));
            }

            text.Append(row[^1]).Append('\n');
        }

        return text.ToString();
    }
}
