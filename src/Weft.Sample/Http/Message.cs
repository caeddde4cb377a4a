// SPDX-License-Identifier: Apache-2.0

namespace Weft.Sample.Http;

/// <summary>One HTTP/1.1 request or response with its whole body.</summary>
internal sealed class Message
{
    public string Method { get; init; } = "";

    /// <summary>As on the wire, path and query.</summary>
    public string Target { get; init; } = "";

    public int Status { get; init; }

    public required IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; }

    public byte[] Body { get; init; } = [];

    public required bool KeepAlive { get; init; }

    /// <summary>The address of who asks; empty for a response.</summary>
    public string Peer { get; set; } = "";

    /// <summary>Names and values behind the question mark, decoded, in their order.</summary>
    public IEnumerable<KeyValuePair<string, string>> Query => Pairs(Target.IndexOf('?', StringComparison.Ordinal) is var at and >= 0 ? Target[(at + 1)..] : "");

    public string Path => Target.IndexOf('?', StringComparison.Ordinal) is var at and >= 0 ? Target[..at] : Target;

    /// <summary>Reads <c>a=b&amp;c=d</c>.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Pairs(string text)
    {
        foreach (var pair in text.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            yield return new(Decode(equals < 0 ? pair : pair[..equals]), equals < 0 ? "" : Decode(pair[(equals + 1)..]));
        }
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    public string? Header(string name)
    {
        foreach (var (key, value) in Headers)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        return null;
    }
}
