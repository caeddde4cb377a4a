// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>What HTTP/1.1 connections of both sides write around a body.</summary>
internal static class Http1Framing
{
    internal static void AppendChunk(ref NativeBuffer output, ReadOnlySpan<byte> payload)
    {
        // An empty chunk would end the body.
        if (!payload.IsEmpty)
        {
            HeadWriter.AppendHexNumber(ref output, payload.Length);
            output.Append("\r\n"u8);
            output.Append(payload);
            output.Append("\r\n"u8);
        }
    }

    /// <summary>The last chunk, and the trailers that may be there (RFC 9110 6.5.1).</summary>
    internal static void AppendLastChunk(ref NativeBuffer output, ReadOnlySpan<byte> trailers)
    {
        output.Append("0\r\n"u8);
        var lines = new TrailerLines(trailers);
        while (lines.MoveNext())
        {
            if (!lines.IsForbidden)
            {
                HeadWriter.AppendLine(ref output, lines.Name, lines.Value);
            }
        }

        output.Append("\r\n"u8);
    }
}
