// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>Limits and choices of an HTTP/1.1 reader. Every limit is the largest value that is still taken.</summary>
public sealed class Http1Rules
{
    /// <summary>No head can be longer, whatever the rules say: positions in it are 16 bits wide.</summary>
    public const int LargestHead = ushort.MaxValue;

    public static Http1Rules Default { get; } = new();

    /// <summary>Start line, header fields and empty lines together; what Envoy takes by default.</summary>
    public int MaxHeadBytes { get; init => field = value is > 0 and <= LargestHead ? value : throw OutOfRange(value); } = 60 * 1024;

    /// <summary>Header fields of one message.</summary>
    public int MaxFields { get; init => field = value is > 0 and <= 1024 ? value : throw OutOfRange(value); } = 100;

    /// <summary>Request target.</summary>
    public int MaxTargetBytes { get; init; } = 8 * 1024;

    /// <summary>Method; the longest registered one has 17.</summary>
    public int MaxMethodBytes { get; init; } = 32;

    /// <summary>Empty lines before a request.</summary>
    public int MaxLeadingEmptyLines { get; init; } = 4;

    /// <summary>Options that Connection names, in all its fields together.</summary>
    public int MaxConnectionOptions { get; init; } = 32;

    /// <summary>Interim responses (1xx) before the final one.</summary>
    public int MaxInterimResponses { get; init; } = 16;

    /// <summary>A chunk's first line: size and extensions, without CR LF.</summary>
    public int MaxChunkLineBytes { get; init; } = 256;

    /// <summary>Chunk extensions of one body together.</summary>
    public int MaxChunkExtensionBytes { get; init; } = 16 * 1024;

    /// <summary>The trailer section of one body.</summary>
    public int MaxTrailerBytes { get; init; } = 8 * 1024;

    /// <summary>Trailer fields of one body.</summary>
    public int MaxTrailers { get; init; } = 32;

    /// <summary>Take CONNECT; no role but a tunnel's does.</summary>
    public bool AllowConnect { get; init; }

    /// <summary>Take TRACE, which shows a client's credentials to scripts.</summary>
    public bool AllowTrace { get; init; }

    /// <summary>Take absolute targets of scheme https: only where TLS ends.</summary>
    public bool AllowHttpsTarget { get; init; }

    /// <summary>Refuse a WebSocket handshake without key and version; one that came over HTTP/2 has none (RFC 8441 5).</summary>
    public bool RequireWebSocketKey { get; init; } = true;

    /// <summary>Take a target with a fragment and read it as if the fragment were not there; else it is refused.</summary>
    public bool CutFragment { get; init; }

    private static ArgumentOutOfRangeException OutOfRange(int value) =>
        new(nameof(value), value, "The limit is outside of what positions in a head can hold.");
}
