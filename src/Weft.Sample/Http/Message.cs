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

    public string Path => Target.IndexOf('?', StringComparison.Ordinal) is var at and >= 0 ? Target[..at] : Target;

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
