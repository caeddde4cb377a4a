// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Stacks;

/// <summary>A failure as a value: made where it happens, answered in one place.</summary>
/// <param name="Kind">What.</param>
/// <param name="Reason">The transport's own words, where there are some; for the log.</param>
/// <param name="BetterStatus">A status that says it better than the kind's own; 0 for none.</param>
/// <param name="IsExhausted">gRPC calls are told that a resource is exhausted.</param>
internal readonly record struct Failure(FailureKind Kind, string? Reason = null, int BetterStatus = 0, bool IsExhausted = false)
{
    internal bool IsNone => Kind == FailureKind.None;

    internal Side Side => Kind switch
    {
        FailureKind.BadRequest or FailureKind.BadPath or FailureKind.UnderscoreName or FailureKind.HeadTooLarge or FailureKind.VersionNotSupported or
            FailureKind.MissingHost or FailureKind.HeadTimeout or FailureKind.ClientGone or FailureKind.BadPreface or FailureKind.BodyTooLarge or
            FailureKind.BodyTooSlow or FailureKind.ClientIdle or FailureKind.BadBase64 => Side.Downstream,
        FailureKind.NoRoute or FailureKind.NoCluster or FailureKind.FaultAbort or FailureKind.RateLimited or
            FailureKind.TooMuchForAll or FailureKind.AskingFailed or FailureKind.Overflow or FailureKind.Overloaded or FailureKind.TunnelIdle or
            FailureKind.TunnelTooOld or FailureKind.StreamIdle or FailureKind.Denied => Side.Proxy,
        _ => Side.Upstream,
    };

    /// <summary>Another try may succeed; whether there is one is the route's decision.</summary>
    internal bool IsRetryable => Side == Side.Upstream && Kind != FailureKind.RequestTimeout;

    /// <summary>Status of the answer; 0 where nobody is left to answer.</summary>
    internal int Status => BetterStatus != 0 ? BetterStatus : Kind switch
    {
        FailureKind.BadRequest or FailureKind.BadPath or FailureKind.UnderscoreName or FailureKind.MissingHost or FailureKind.BadBase64 => 400,
        FailureKind.HeadTooLarge => 431,
        FailureKind.VersionNotSupported => 426,
        FailureKind.BodyTooLarge => 413,
        FailureKind.HeadTimeout or FailureKind.BodyTooSlow or FailureKind.ClientIdle or FailureKind.StreamIdle => 408,
        FailureKind.Denied => 403,
        FailureKind.NoRoute => 404,
        FailureKind.RateLimited or FailureKind.TooMuchForAll => 429,
        FailureKind.AskingFailed => 500,
        FailureKind.BadResponse => 502,
        FailureKind.RequestTimeout or FailureKind.PerTryTimeout or FailureKind.PerTryIdle => 504,
        FailureKind.ClientGone or FailureKind.None => 0,
        _ => 503,
    };

    /// <summary>Envoy's response flag.</summary>
    internal string Flag => Kind switch
    {
        FailureKind.BadRequest or FailureKind.HeadTooLarge or FailureKind.VersionNotSupported or FailureKind.MissingHost or
            FailureKind.BadPreface => "DPE",
        FailureKind.HeadTimeout or FailureKind.TunnelIdle or FailureKind.BodyTooSlow or FailureKind.ClientIdle or
            FailureKind.StreamIdle => "SI",
        FailureKind.TunnelTooOld => "DT",
        FailureKind.NoRoute => "NR",
        FailureKind.NoCluster => "NC",
        FailureKind.NoHealthyEndpoint => "UH",
        FailureKind.Overflow => "UO",
        FailureKind.Overloaded => "OM",
        FailureKind.ConnectFailed or FailureKind.ConnectTimeout or FailureKind.TlsFailed => "UF",
        FailureKind.ConnectionClosed => "UC",
        FailureKind.StreamReset or FailureKind.StreamRefused => "UR",
        FailureKind.BadResponse => "UPE",
        FailureKind.RequestTimeout or FailureKind.PerTryTimeout or FailureKind.PerTryIdle => "UT",
        FailureKind.FaultAbort => "FI",
        FailureKind.RateLimited or FailureKind.TooMuchForAll => "RL",
        FailureKind.AskingFailed => "RLSE",
        FailureKind.ClientGone => "DC",
        _ => "-",
    };

    /// <summary>Envoy's response code details.</summary>
    internal string Details => Kind switch
    {
        FailureKind.BadRequest => "http1.codec_error",
        FailureKind.UnderscoreName => "http1.unexpected_underscore",
        FailureKind.BadPath => "path_normalization_failed",
        FailureKind.HeadTooLarge => "http1.headers_too_large",
        FailureKind.VersionNotSupported => "low_version",
        FailureKind.MissingHost => "missing_host_header",
        FailureKind.HeadTimeout => "request_header_timeout",
        FailureKind.BodyTooLarge => "request_payload_too_large",
        FailureKind.BadBase64 => "grpc_base_64_decode_failed",
        FailureKind.BodyTooSlow => "request_body_too_slow",
        FailureKind.ClientIdle => "client_idle_timeout",
        FailureKind.StreamIdle => "stream_idle_timeout",
        FailureKind.NoRoute => "route_not_found",
        FailureKind.NoCluster => "cluster_not_found",
        FailureKind.NoHealthyEndpoint => "no_healthy_upstream",
        FailureKind.Overloaded => "overload",
        FailureKind.Overflow => "upstream_reset_before_response_started{overflow}",
        FailureKind.ConnectFailed or FailureKind.TlsFailed => "upstream_reset_before_response_started{connection_failure}",
        FailureKind.ConnectTimeout => "upstream_reset_before_response_started{connection_timeout}",
        FailureKind.ConnectionClosed => "upstream_reset_before_response_started{connection_termination}",
        FailureKind.StreamReset => "upstream_reset_before_response_started{remote_reset}",
        FailureKind.StreamRefused => "upstream_reset_before_response_started{remote_refused_stream_reset}",
        FailureKind.BadResponse => "upstream_reset_before_response_started{protocol_error}",
        FailureKind.RequestTimeout => "upstream_response_timeout",
        FailureKind.PerTryTimeout => "upstream_per_try_timeout",
        FailureKind.PerTryIdle => "upstream_per_try_idle_timeout",
        FailureKind.FaultAbort => "fault_filter_abort",
        FailureKind.RateLimited => "local_rate_limited",
        FailureKind.Denied => Reason ?? "rbac_access_denied",
        FailureKind.TooMuchForAll => "request_rate_limited",
        FailureKind.AskingFailed => "rate_limiter_error",
        FailureKind.ClientGone => "downstream_remote_disconnect",
        FailureKind.BadPreface => "malformed_first_bytes",
        FailureKind.TunnelIdle => "tcp_session_idle_timeout",
        FailureKind.TunnelTooOld => "max_connection_duration_reached",
        _ => "-",
    };

    /// <summary>What the transport said of it; empty where the reason is no transport's.</summary>
    internal string TransportText => Kind == FailureKind.Denied ? "" : Reason ?? "";

    /// <summary>Field lines that go with the answer.</summary>
    internal ReadOnlySpan<byte> ExtraLines => Kind switch
    {
        FailureKind.Overflow => "x-envoy-overloaded: true\r\n"u8,
        FailureKind.Overloaded => "x-envoy-local-overloaded: true\r\n"u8,
        _ => [],
    };

    /// <summary>Body of the answer, in Envoy's words, which people and scripts look for.</summary>
    internal ReadOnlySpan<byte> Body => Kind switch
    {
        FailureKind.NoHealthyEndpoint => "no healthy upstream"u8,
        FailureKind.Overloaded => "envoy overloaded"u8,
        FailureKind.Overflow =>
            "upstream connect error or disconnect/reset before headers. reset reason: overflow"u8,
        FailureKind.ConnectFailed or FailureKind.TlsFailed =>
            "upstream connect error or disconnect/reset before headers. reset reason: connection failure"u8,
        FailureKind.ConnectTimeout =>
            "upstream connect error or disconnect/reset before headers. reset reason: connection timeout"u8,
        FailureKind.ConnectionClosed =>
            "upstream connect error or disconnect/reset before headers. reset reason: connection termination"u8,
        FailureKind.StreamReset =>
            "upstream connect error or disconnect/reset before headers. reset reason: remote reset"u8,
        FailureKind.StreamRefused =>
            "upstream connect error or disconnect/reset before headers. reset reason: remote refused stream reset"u8,
        FailureKind.BadResponse =>
            "upstream connect error or disconnect/reset before headers. reset reason: protocol error"u8,
        FailureKind.RequestTimeout or FailureKind.PerTryTimeout or FailureKind.PerTryIdle => "upstream request timeout"u8,
        FailureKind.FaultAbort => "fault filter abort"u8,
        FailureKind.RateLimited => "local_rate_limited"u8,
        FailureKind.Denied => "RBAC: access denied"u8,
        FailureKind.BadRequest or FailureKind.BadPath or FailureKind.UnderscoreName => "Bad Request"u8,
        FailureKind.BodyTooLarge => "Payload Too Large"u8,
        FailureKind.BadBase64 => "Bad gRPC-web request, invalid base64 data."u8,
        FailureKind.HeadTimeout or FailureKind.BodyTooSlow or FailureKind.ClientIdle or FailureKind.StreamIdle => "stream timeout"u8,
        _ => [],
    };
}
