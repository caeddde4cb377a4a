// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Local.Serving;

/// <summary>The head of a request to the node's socket.</summary>
/// <param name="Headers">Names in any case; a repeated header's values are joined with commas.</param>
internal sealed record NodeRequest(
    string Method, string Path, IReadOnlyDictionary<string, List<string>> Query, IReadOnlyDictionary<string, string> Headers)
{
    public const int MaxHeadBytes = 64 * 1024;

    /// <summary>The first value of a query parameter.</summary>
    public string? Value(string name) => Query.GetValueOrDefault(name)?.FirstOrDefault();

    /// <summary>The protocol that the client wants to change to; empty for none.</summary>
    public string Upgrade => Header("Upgrade");

    public string Header(string name) => Headers.GetValueOrDefault(name) ?? "";

    public bool Flag(string name) => Value(name) is "true" or "1";

    /// <summary>Reads a head; null if the connection ends before it begins.</summary>
    public static async Task<NodeRequest?> ReadAsync(Stream stream, CancellationToken ct)
    {
        var bytes = new List<byte>();
        var one = new byte[1];
        while (!EndsWithBlankLine(bytes))
        {
            // Byte by byte: what follows the head of an upgrade belongs to another protocol.
            if (await stream.ReadAsync(one, ct) == 0)
            {
                return bytes.Count == 0 ? null : throw new FormatException("The request ended inside its head.");
            }

            bytes.Add(one[0]);
            if (bytes.Count > MaxHeadBytes)
            {
                throw new FormatException($"The request's head is longer than {MaxHeadBytes} bytes.");
            }
        }

        return Parse(Encoding.UTF8.GetString([.. bytes]));
    }

    internal static NodeRequest Parse(string head)
    {
        var lines = head.Split("\r\n");
        var words = lines[0].Split(' ');
        if (words is not [{ Length: > 0 } method, ['/', ..] target, "HTTP/1.1" or "HTTP/1.0"])
        {
            throw new FormatException($"'{lines[0]}' is no request line.");
        }

        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var query = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var pair in mark < 0 ? [] : target[(mark + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var name = Unescape(equals < 0 ? pair : pair[..equals]);
            if (!query.TryGetValue(name, out var values))
            {
                query[name] = values = [];
            }

            values.Add(equals < 0 ? "" : Unescape(pair[(equals + 1)..]));
        }

        return new NodeRequest(method, mark < 0 ? target : target[..mark], query, ParseHeaders(lines));
    }

    private static Dictionary<string, string> ParseHeaders(string[] lines)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines.Skip(1).Where(l => l.Length > 0))
        {
            if (line.Split(':', 2) is not [{ Length: > 0 } name, var value])
            {
                throw new FormatException($"'{line}' is no header.");
            }

            headers[name] = headers.TryGetValue(name, out var before) ? $"{before}, {value.Trim()}" : value.Trim();
        }

        return headers;
    }

    private static string Unescape(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static bool EndsWithBlankLine(List<byte> bytes) =>
        bytes.Count >= 4 && bytes[^1] == '\n' && bytes[^2] == '\r' && bytes[^3] == '\n' && bytes[^4] == '\r';
}
