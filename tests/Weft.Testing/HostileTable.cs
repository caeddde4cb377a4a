// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Xunit;

namespace Weft.Testing;

/// <summary>
/// A table of what attackers and broken peers send: tests/cases/hostile/**.case. Its input has two lines a row: number and name, then
/// the bytes, indented. {H} is a Host line, {x*n} repeats x, \xHH is a byte.
/// </summary>
public static class HostileTable
{
    private const string Host = "Host: a.test\r\n";
    private const string Indent = "    ";

    /// <summary>The tables of a folder below tests/cases/hostile, for a theory's data.</summary>
    public static TheoryData<string> Find(string folder) => CaseFile.Find(Path.Combine("hostile", folder));

    /// <summary>Every input of the tables of a folder, for fuzzing to start from.</summary>
    public static IReadOnlyList<byte[]> Inputs(string folder)
    {
        var inputs = new List<byte[]>();
        foreach (var path in Find(folder))
        {
            inputs.AddRange(Rows(CaseFile.Load(path)).Select(input => input.Bytes));
        }

        return inputs;
    }

    public static IReadOnlyList<HostileRow> Rows(CaseFile file)
    {
        var rows = new List<HostileRow>();
        var lines = file["input"].TrimEnd('\n').Split('\n');
        for (var i = 0; i + 1 < lines.Length; i += 2)
        {
            Assert.StartsWith(Indent, lines[i + 1], StringComparison.Ordinal);
            var name = lines[i].Split(' ', 2);
            rows.Add(new HostileRow(name[0], name[1], Unescape(lines[i + 1][Indent.Length..])));
        }

        return rows;
    }

    /// <summary>Bytes as a line of text, the way inputs are written.</summary>
    public static string Escape(string latin1)
    {
        var text = new StringBuilder();
        foreach (var c in latin1)
        {
            text.Append(c switch
            {
                '\r' => "\\r",
                '\n' => "\\n",
                '\t' => "\\t",
                '\\' => "\\\\",
                < ' ' or > '~' => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => c.ToString(),
            });
        }

        return text.ToString();
    }

    public static byte[] Unescape(string text)
    {
        var bytes = new List<byte>();
        text = text.Replace("{H}", Host, StringComparison.Ordinal);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
                bytes.Add(text[i] switch
                {
                    'r' => (byte)'\r',
                    'n' => (byte)'\n',
                    't' => (byte)'\t',
                    'x' => Convert.ToByte(text.Substring(i + 1, 2), 16),
                    _ => (byte)text[i],
                });
                i += text[i] == 'x' ? 2 : 0;
            }
            else if (text[i] == '{')
            {
                var end = text.IndexOf('}', i);
                var star = text.LastIndexOf('*', end);
                var piece = Unescape(text[(i + 1)..star]);
                for (var left = int.Parse(text[(star + 1)..end], CultureInfo.InvariantCulture); left > 0; left--)
                {
                    bytes.AddRange(piece);
                }

                i = end;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text[i].ToString()));
            }
        }

        return [.. bytes];
    }
}

/// <summary>One hostile input.</summary>
public sealed record HostileRow(string Number, string Name, byte[] Bytes);
