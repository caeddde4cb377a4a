// SPDX-License-Identifier: Apache-2.0

using Envoy.Extensions.Filters.Http.Buffer.V3;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace Weft.Wire.Plans;

/// <summary>Envoy's <c>buffer</c> filter → the longest body of a request. Our own plans say it in the listener's and the route's facts.</summary>
internal static class BodyBuffers
{
    private static readonly MessageParser<Envoy.Extensions.Filters.Http.Buffer.V3.Buffer> _parser =
        Envoy.Extensions.Filters.Http.Buffer.V3.Buffer.Parser.WithDiscardUnknownFields(true);

    private static readonly MessageParser<BufferPerRoute> _routeParser = BufferPerRoute.Parser.WithDiscardUnknownFields(true);

    /// <summary>0 if it is wrong, which is reported.</summary>
    public static long Unpack(DecodeScope scope, Any any) => scope.Unpack(_parser, any, TypeUrls.BodyBuffer) is { } buffer ? Bytes(scope, buffer) : 0;

    /// <summary>What a route says; 0 if it says nothing.</summary>
    public static long Find(DecodeScope scope, MapField<string, Any> filters)
    {
        if (!filters.TryGetValue(Wrap.BufferFilter, out var any))
        {
            return 0;
        }

        using var at = scope.At("typed_per_filter_config");
        return scope.Unpack(_routeParser, any, TypeUrls.BodyBufferOfRoute) switch
        {
            null => 0,
            { OverrideCase: BufferPerRoute.OverrideOneofCase.Buffer } own => Bytes(scope, own.Buffer),
            _ => long.MaxValue,
        };
    }

    private static long Bytes(DecodeScope scope, Envoy.Extensions.Filters.Http.Buffer.V3.Buffer buffer)
    {
        if (buffer.MaxRequestBytes is null or 0)
        {
            scope.Error("max_request_bytes must be at least 1");
        }

        return buffer.MaxRequestBytes ?? 0;
    }
}
