// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Hpack;

namespace Weft.Protocols.Http2;

/// <summary>What a client hears of its streams. Spans are only valid during the call.</summary>
public interface IHttp2Handler
{
    /// <summary>Response headers, or trailers when they come after data or with <paramref name="endStream"/>.</summary>
    void OnHeaders(int stream, IReadOnlyList<TextHeaderField> fields, bool endStream);

    /// <summary>A part of the body. Its bytes are given back to the peer's window when the call returns.</summary>
    void OnData(int stream, ReadOnlySpan<byte> data, bool endStream);

    /// <summary>The stream ended without a proper end: reset by the peer, or refused by a GOAWAY.</summary>
    void OnReset(int stream, Http2ErrorCode code);
}

/// <summary>Why the whole connection has to be closed.</summary>
/// <param name="Code">What we tell the peer in GOAWAY.</param>
/// <param name="Text">A sentence that names the frame and the rule.</param>
public sealed record Http2Failure(Http2ErrorCode Code, string Text);
