// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>
/// What one HTTP/2 connection may cost us. Every limit is the largest value that is still taken; what is over it ends in a GOAWAY
/// ENHANCE_YOUR_CALM that names the limit, unless said otherwise.
/// </summary>
/// <remarks>
/// Limits "per window" count within <see cref="FloodWindowMs"/>. Frames that carry nothing are weighed against those that carry
/// something, so that a busy honest peer (gRPC probes the bandwidth with PING) is never taken for a flood.
/// </remarks>
public sealed record Http2Limits
{
    /// <summary>No header list can be larger, whatever is asked for: positions in it are 16 bits wide.</summary>
    public const int LargestHeaderList = ushort.MaxValue;

    /// <summary>The largest window that the protocol knows (RFC 9113 section 6.9.1), in bytes.</summary>
    public const int LargestWindow = int.MaxValue;

    public static Http2Limits Default { get; } = new();

    /// <summary>Largest frame that we take and announce, in bytes; a larger one is a FRAME_SIZE_ERROR.</summary>
    public int MaxFrameBytes { get; init => field = Within(value, 16_384, 16_777_215); } = 16_384;

    /// <summary>
    /// Largest decoded header list, in bytes with 32 for each field, as announced. A larger one costs its stream; one of more than
    /// <see cref="HeaderBombFactor"/> times as much costs the connection.
    /// </summary>
    public int MaxHeaderListBytes { get; init => field = Within(value, 1, LargestHeaderList); } = 60 * 1024;

    /// <summary>Fields of one header list, pseudo-headers and every cookie crumb among them; more cost the stream.</summary>
    public int MaxHeaderFields { get; init => field = Within(value, 1, 1024); } = 128;

    /// <summary>How many times the list limit, in bytes or fields, a header block may name before it is an attack.</summary>
    public int HeaderBombFactor { get; init => field = Within(value, 1, 1024); } = 4;

    /// <summary>Largest header block as sent, over HEADERS and CONTINUATION together, in bytes.</summary>
    public int MaxHeaderBlockBytes { get; init => field = Within(value, 1, 1 << 24); } = 64 * 1024;

    /// <summary>CONTINUATION frames of one header block.</summary>
    public int MaxContinuationFrames { get; init => field = Within(value, 0, int.MaxValue); } = 64;

    /// <summary>Size of the table that the peer's HPACK encoder may use, in bytes, as announced.</summary>
    public int HeaderTableBytes { get; init => field = Within(value, 0, 65_536); } = 4096;

    /// <summary>Size of the table that our HPACK encoder uses at most, in bytes, however much the peer offers.</summary>
    public int MaxEncoderTableBytes { get; init => field = Within(value, 0, 65_536); } = 4096;

    /// <summary>How much the peer may send on a stream before the caller consumes it, in bytes, as announced.</summary>
    public int StreamWindowBytes { get; init => field = Within(value, 0, LargestWindow); } = 65_535;

    /// <summary>The same for the connection, in bytes; never less than the 65,535 that the protocol begins with.</summary>
    public int ConnectionWindowBytes { get; init => field = Within(value, 65_535, LargestWindow); } = 1024 * 1024;

    /// <summary>Streams that the peer may have open, as announced; one more is refused (REFUSED_STREAM).</summary>
    public int MaxConcurrentStreams { get; init => field = Within(value, 0, int.MaxValue); } = 100;

    /// <summary>Bytes in the output that are not sent; while there are more, no DATA is taken.</summary>
    public int MaxQueuedOutputBytes { get; init => field = Within(value, 1, int.MaxValue); } = 64 * 1024;

    /// <summary>Answers (acknowledgements, resets, window updates) that wait in the output because the peer does not read.</summary>
    public int MaxQueuedControlFrames { get; init => field = Within(value, 1, int.MaxValue); } = 1000;

    /// <summary>Interim responses (1xx) before one response; more cost the stream.</summary>
    public int MaxInterimResponses { get; init => field = Within(value, 0, int.MaxValue); } = 100;

    /// <summary>Streams on one connection before it is drained; identifiers end at 2^31-1 (RFC 9113 section 5.1.1).</summary>
    public int MaxStreams { get; init => field = Within(value, 1, 0x3FFF_FFFF); } = 0x3FFF_FFFF;

    /// <summary>Length of the window in which floods are counted, in milliseconds.</summary>
    public int FloodWindowMs { get; init => field = Within(value, 1, int.MaxValue); } = 1000;

    /// <summary>Streams that the peer resets, per window (rapid reset, CVE-2023-44487).</summary>
    public int MaxPeerResets { get; init => field = Within(value, 0, int.MaxValue); } = 200;

    /// <summary>Streams that the peer makes us reset or refuse, per window (MadeYouReset, CVE-2025-8671).</summary>
    public int MaxForcedResets { get; init => field = Within(value, 0, int.MaxValue); } = 100;

    /// <summary>SETTINGS frames, per window.</summary>
    public int MaxSettingsFrames { get; init => field = Within(value, 1, int.MaxValue); } = 32;

    /// <summary>Entries of one SETTINGS frame.</summary>
    public int MaxSettingsEntries { get; init => field = Within(value, 1, 64); } = 32;

    /// <summary>PING frames, per window, over the number of frames that carry something.</summary>
    public int MaxPings { get; init => field = Within(value, 0, int.MaxValue); } = 100;

    /// <summary>Frames without content (DATA without an end, HEADERS and CONTINUATION without a fragment), per window.</summary>
    public int MaxEmptyFrames { get; init => field = Within(value, 0, int.MaxValue); } = 10;

    /// <summary>PRIORITY frames, per window, over the number of frames that carry something.</summary>
    public int MaxPriorityFrames { get; init => field = Within(value, 0, int.MaxValue); } = 100;

    /// <summary>WINDOW_UPDATE frames, per window, over 10 for each DATA frame that we sent and 2 for each frame that carries something.</summary>
    public int MaxWindowUpdates { get; init => field = Within(value, 0, int.MaxValue); } = 200;

    /// <summary>Frames of types that nobody knows, per window, over the number of frames that carry something.</summary>
    public int MaxUnknownFrames { get; init => field = Within(value, 0, int.MaxValue); } = 100;

    /// <summary>How long a stream with something to send may wait for a window, in milliseconds, before it is reset.</summary>
    public int StallMs { get; init => field = Within(value, 1, int.MaxValue); } = 300_000;

    /// <summary>What a peer must let us send in <see cref="StallMs"/> for its stream not to count as stalled, in bytes.</summary>
    public int MinStallProgressBytes { get; init => field = Within(value, 1, int.MaxValue); } = 16 * 1024;

    /// <summary>How long a drain waits for the answer to its PING before the last GOAWAY goes out all the same, in milliseconds.</summary>
    public int DrainPatienceMs { get; init => field = Within(value, 1, int.MaxValue); } = 2000;

    /// <summary>Send text in the Huffman code where it is shorter: worth its time where bytes are dear, at the edge of the mesh.</summary>
    public bool CompressText { get; init; }

    /// <summary>Take CONNECT with <c>:protocol</c> (RFC 8441) and announce it.</summary>
    public bool AllowExtendedConnect { get; init; }

    private static int Within(int value, int least, int most) => value >= least && value <= most ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, $"The limit must be from {least} to {most}.");
}
