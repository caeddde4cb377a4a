// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>What one HTTP/2 connection may cost us; every limit is announced in SETTINGS where the protocol has a word for it.</summary>
/// <param name="MaxFrameSize">Largest frame we accept, in bytes (16,384 to 16,777,215).</param>
/// <param name="MaxHeaderListSize">Largest decoded header list, in bytes as HPACK counts.</param>
/// <param name="MaxHeaderBlock">Largest header block over HEADERS and CONTINUATION together, in bytes.</param>
/// <param name="StreamWindow">How much a peer may send on a stream before we take it, in bytes.</param>
/// <param name="ConnectionWindow">The same for the connection.</param>
/// <param name="MaxControlFrames">Most PING, SETTINGS and empty frames between two frames that carry something (floods).</param>
/// <param name="MaxUnsentBytes">Most request bytes kept while the peer's window is closed.</param>
public sealed record Http2ClientLimits(
    int MaxFrameSize = 16_384,
    int MaxHeaderListSize = 64 * 1024,
    int MaxHeaderBlock = 64 * 1024,
    int StreamWindow = 4 * 1024 * 1024,
    int ConnectionWindow = 16 * 1024 * 1024,
    int MaxControlFrames = 1_000,
    int MaxUnsentBytes = 16 * 1024 * 1024)
{
    public static Http2ClientLimits Default { get; } = new();
}
