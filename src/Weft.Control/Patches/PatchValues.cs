// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Weft.Control.Patches;

/// <summary>From a patch's JSON to the message that it stands for.</summary>
internal static class PatchValues
{
    private static readonly TypeRegistry _types = TypeRegistry.FromMessages(
        Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Descriptor,
        Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy.Descriptor,
        Envoy.Extensions.Filters.Http.Router.V3.Router.Descriptor,
        Envoy.Extensions.Filters.Http.Fault.V3.HTTPFault.Descriptor,
        Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy.Descriptor,
        Envoy.Extensions.Filters.Http.LocalRatelimit.V3.LocalRateLimit.Descriptor,
        Envoy.Extensions.Filters.Http.Rbac.V3.RBAC.Descriptor,
        Envoy.Extensions.Filters.Network.Rbac.V3.RBAC.Descriptor,
        Envoy.Extensions.Path.Match.UriTemplate.V3.UriTemplateMatchConfig.Descriptor,
        Envoy.Extensions.Filters.Http.Buffer.V3.Buffer.Descriptor,
        Envoy.Extensions.Filters.Http.Buffer.V3.BufferPerRoute.Descriptor,
        Envoy.Extensions.Filters.Http.Compressor.V3.Compressor.Descriptor,
        Envoy.Extensions.Compression.Gzip.Compressor.V3.Gzip.Descriptor,
        Envoy.Extensions.Compression.Brotli.Compressor.V3.Brotli.Descriptor,
        Envoy.Extensions.Filters.Http.Ratelimit.V3.RateLimit.Descriptor,
        Envoy.Extensions.Filters.Http.Ratelimit.V3.RateLimitPerRoute.Descriptor,
        Envoy.Extensions.TransportSockets.Tls.V3.UpstreamTlsContext.Descriptor,
        Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext.Descriptor,
        Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions.Descriptor);

    private static readonly JsonParser _parser = new(JsonParser.Settings.Default.WithTypeRegistry(_types));

    /// <summary>The message; throws <see cref="PatchException"/> with a clause that says what of it is not known.</summary>
    public static T Read<T>(string json)
        where T : IMessage<T>, new()
    {
        try
        {
            return _parser.Parse<T>(json);
        }
        catch (Exception problem) when (problem is InvalidProtocolBufferException or InvalidOperationException)
        {
            const string NoType = "Type registry has no descriptor for type name";
            throw new PatchException(problem.Message.StartsWith(NoType, StringComparison.Ordinal)
                ? $"the proxy does not run{problem.Message[NoType.Length..]}"
                : problem.Message.TrimEnd('.'));
        }
    }

    /// <summary>Merges what is inside an Any if both hold one type, else the other takes its place; lists grow (proto merge).</summary>
    public static Any? Merge(Any? before, Any? other)
    {
        if (before is null || other is null || before.TypeUrl != other.TypeUrl || _types.Find(Any.GetTypeName(before.TypeUrl)) is not { } descriptor)
        {
            return other ?? before;
        }

        var merged = descriptor.Parser.ParseFrom(before.Value);
        merged.MergeFrom(other.Value);
        return new Any { TypeUrl = before.TypeUrl, Value = merged.ToByteString() };
    }
}

/// <summary>A patch cannot be applied; the message is a clause for its status.</summary>
internal sealed class PatchException(string reason) : Exception(reason);
