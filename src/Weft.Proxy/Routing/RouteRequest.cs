// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;

namespace Weft.Proxy.Routing;

/// <summary>What a route table looks at: a parsed head, the bytes it was parsed from, and the scheme, which no header may claim.</summary>
internal readonly ref struct RouteRequest(RequestHead head, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> scheme)
{
    public RequestHead Head { get; } = head;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    /// <summary><c>http</c> or <c>https</c>.</summary>
    public ReadOnlySpan<byte> Scheme { get; } = scheme;

    public ReadOnlySpan<byte> Authority => Head.Authority.Of(Bytes);

    public ReadOnlySpan<byte> Path => Head.PathOf(Bytes);
}
