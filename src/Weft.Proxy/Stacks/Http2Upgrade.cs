// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;

namespace Weft.Proxy.Stacks;

/// <summary>Requests of HTTP/1.1 that ask for HTTP/2 on their connection (RFC 7540 section 3.2).</summary>
internal static class Http2Upgrade
{
    /// <summary>
    /// True for one that may have it. One with a body is answered as it came, which the RFC allows; one over TLS, where ALPN decides, is for
    /// the caller to leave out.
    /// </summary>
    internal static bool IsAsked(RequestHead request, ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> settings)
    {
        settings = default;
        return request.Framing == BodyFraming.None &&
            request.TryGet(KnownHeader.Upgrade, bytes, out var protocol) && Ascii.EqualsIgnoreCase(protocol, "h2c"u8) &&
            request.TryGet(KnownHeader.Http2Settings, bytes, out settings) && HasOneOf(KnownHeader.Http2Settings, request);
    }

    private static bool HasOneOf(KnownHeader header, RequestHead request)
    {
        var count = 0;
        foreach (ref readonly var field in request.Fields)
        {
            count += field.Known == header ? 1 : 0;
        }

        return count == 1;
    }
}
