// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Local.Serving;

/// <summary>The head of a request to the node's socket.</summary>
internal sealed record NodeRequest(string Method, string Path, IReadOnlyDictionary<string, List<string>> Query, bool Upgrade)
{
    public const int MaxHeadBytes = 64 * 1024;

    /// <summary>The first value of a query parameter.</summary>
    public string? Value(string name) => Query.GetValueOrDefault(name)?.FirstOrDefault();

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

        var upgrade = lines.Any(l => l.StartsWith("upgrade:", StringComparison.OrdinalIgnoreCase));
        return new NodeRequest(method, mark < 0 ? target : target[..mark], query, upgrade);
    }

    private static string Unescape(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static bool EndsWithBlankLine(List<byte> bytes) =>
        bytes.Count >= 4 && bytes[^1] == '\n' && bytes[^2] == '\r' && bytes[^3] == '\n' && bytes[^4] == '\r';
}
