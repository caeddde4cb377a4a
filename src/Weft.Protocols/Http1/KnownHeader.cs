// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Http1;

/// <summary>Header names that somebody on the request path asks for, recognised once while parsing.</summary>
public enum KnownHeader : byte
{
    Other,
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    KeepAlive,
    ProxyConnection,
    Upgrade,
    Expect,
    Te,
    Trailer,
    Http2Settings,
    ContentType,
    UserAgent,
    Authorization,
    Server,
    Date,
    Location,
    Via,
    GrpcStatus,
    XForwardedFor,
    XForwardedProto,
    XForwardedClientCert,
    XRequestId,
    XEnvoyPeerMetadata,
    XEnvoyPeerMetadataId,
    XEnvoyAttemptCount,
    XEnvoyOriginalPath,
    XEnvoyMaxRetries,
    XEnvoyRetryOn,
    XEnvoyRetryGrpcOn,
    XEnvoyRetriableHeaderNames,
    XEnvoyRetriableStatusCodes,
    XEnvoyHedgeOnPerTryTimeout,
    XEnvoyUpstreamRqTimeoutMs,
    XEnvoyUpstreamRqPerTryTimeoutMs,
    XEnvoyUpstreamServiceTime,
    XEnvoyDecoratorOperation,
    L5dClientId,
}

/// <summary>Recognises header names.</summary>
public static class KnownHeaders
{
    /// <summary>Fields that only concern one connection, whatever Connection says.</summary>
    internal const ulong HopByHop =
        (1UL << (int)KnownHeader.Connection) | (1UL << (int)KnownHeader.KeepAlive)
        | (1UL << (int)KnownHeader.ProxyConnection) | (1UL << (int)KnownHeader.Upgrade)
        | (1UL << (int)KnownHeader.Te) | (1UL << (int)KnownHeader.TransferEncoding)
        | (1UL << (int)KnownHeader.Http2Settings);

    /// <summary>Fields that frame or address the message; Connection cannot take them away (SECURITY: CVE-2022-31813).</summary>
    internal const ulong Protected =
        (1UL << (int)KnownHeader.Host) | (1UL << (int)KnownHeader.ContentLength) | (1UL << (int)KnownHeader.Expect);

    /// <summary>Which known header a name is, in any case of letters.</summary>
    public static KnownHeader Classify(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => Is(name, "te"u8, KnownHeader.Te),
        3 => Is(name, "via"u8, KnownHeader.Via),
        4 => (name[0] | 0x20) == 'h' ? Is(name, "host"u8, KnownHeader.Host) : Is(name, "date"u8, KnownHeader.Date),
        6 => (name[0] | 0x20) == 's' ? Is(name, "server"u8, KnownHeader.Server) : Is(name, "expect"u8, KnownHeader.Expect),
        7 => (name[0] | 0x20) == 'u'
            ? Is(name, "upgrade"u8, KnownHeader.Upgrade)
            : Is(name, "trailer"u8, KnownHeader.Trailer),
        8 => Is(name, "location"u8, KnownHeader.Location),
        10 => TenLetters(name),
        11 => Is(name, "grpc-status"u8, KnownHeader.GrpcStatus),
        12 => (name[0] | 0x20) == 'c'
            ? Is(name, "content-type"u8, KnownHeader.ContentType)
            : Is(name, "x-request-id"u8, KnownHeader.XRequestId),
        13 => (name[0] | 0x20) == 'a'
            ? Is(name, "authorization"u8, KnownHeader.Authorization)
            : Is(name, "l5d-client-id"u8, KnownHeader.L5dClientId),
        14 => (name[0] | 0x20) == 'c'
            ? Is(name, "content-length"u8, KnownHeader.ContentLength)
            : Is(name, "http2-settings"u8, KnownHeader.Http2Settings),
        15 => Is(name, "x-forwarded-for"u8, KnownHeader.XForwardedFor),
        16 => (name[0] | 0x20) == 'p'
            ? Is(name, "proxy-connection"u8, KnownHeader.ProxyConnection)
            : Is(name, "x-envoy-retry-on"u8, KnownHeader.XEnvoyRetryOn),
        17 => (name[0] | 0x20) == 't'
            ? Is(name, "transfer-encoding"u8, KnownHeader.TransferEncoding)
            : Is(name, "x-forwarded-proto"u8, KnownHeader.XForwardedProto),
        19 => Is(name, "x-envoy-max-retries"u8, KnownHeader.XEnvoyMaxRetries),
        > 19 => Long(name),
        _ => KnownHeader.Other,
    };

    private static KnownHeader TenLetters(ReadOnlySpan<byte> name) => (name[0] | 0x20) switch
    {
        'c' => Is(name, "connection"u8, KnownHeader.Connection),
        'k' => Is(name, "keep-alive"u8, KnownHeader.KeepAlive),
        'u' => Is(name, "user-agent"u8, KnownHeader.UserAgent),
        _ => KnownHeader.Other,
    };

    private static KnownHeader Long(ReadOnlySpan<byte> name) => name.Length switch
    {
        21 => (name[8] | 0x20) switch
        {
            'p' => Is(name, "x-envoy-peer-metadata"u8, KnownHeader.XEnvoyPeerMetadata),
            'a' => Is(name, "x-envoy-attempt-count"u8, KnownHeader.XEnvoyAttemptCount),
            'o' => Is(name, "x-envoy-original-path"u8, KnownHeader.XEnvoyOriginalPath),
            'r' => Is(name, "x-envoy-retry-grpc-on"u8, KnownHeader.XEnvoyRetryGrpcOn),
            _ => KnownHeader.Other,
        },
        23 => Is(name, "x-forwarded-client-cert"u8, KnownHeader.XForwardedClientCert),
        24 => Is(name, "x-envoy-peer-metadata-id"u8, KnownHeader.XEnvoyPeerMetadataId),
        27 => Is(name, "x-envoy-decorator-operation"u8, KnownHeader.XEnvoyDecoratorOperation),
        30 => (name[18] | 0x20) switch
        {
            'q' => Is(name, "x-envoy-upstream-rq-timeout-ms"u8, KnownHeader.XEnvoyUpstreamRqTimeoutMs),
            'h' => Is(name, "x-envoy-retriable-header-names"u8, KnownHeader.XEnvoyRetriableHeaderNames),
            _ => Is(name, "x-envoy-retriable-status-codes"u8, KnownHeader.XEnvoyRetriableStatusCodes),
        },
        32 => Is(name, "x-envoy-hedge-on-per-try-timeout"u8, KnownHeader.XEnvoyHedgeOnPerTryTimeout),
        38 => Is(name, "x-envoy-upstream-rq-per-try-timeout-ms"u8, KnownHeader.XEnvoyUpstreamRqPerTryTimeoutMs),
        29 => Is(name, "x-envoy-upstream-service-time"u8, KnownHeader.XEnvoyUpstreamServiceTime),
        _ => KnownHeader.Other,
    };

    private static KnownHeader Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower, KnownHeader known) =>
        Ascii.EqualsIgnoreCase(name, lower) ? known : KnownHeader.Other;
}
