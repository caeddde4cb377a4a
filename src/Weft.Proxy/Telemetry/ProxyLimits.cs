// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Compression;
using Weft.Proxy.Listeners;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Telemetry;

/// <summary>Names, defaults and consequences of the limits: what the metric's label says, and what the reference prints.</summary>
internal static class ProxyLimits
{
    private const string Refused = "400, closed, DPE";
    private const string TooLarge = "431, closed, DPE";
    private const string Slow = "408, closed, SI; cut off if the answer has begun";

    private static readonly HttpLimitsPlan _plan = HttpLimitsPlan.Default;
    private static readonly Http1Rules _rules = Http1Rules.Default;

    internal static IReadOnlyList<LimitRow> All { get; } =
    [
        new(ProxyLimit.HeadBytes, "head_bytes", Kilobytes(_plan.MaxHeadKilobytes), "max_request_headers_kb", $"{TooLarge}; 502, UPE for a response"),
        new(ProxyLimit.HeadFields, "head_fields", Number(_plan.MaxFields), "max_headers_count", $"{TooLarge}; 502, UPE for a response"),
        new(ProxyLimit.TargetBytes, "target_bytes", Kilobytes(_rules.MaxTargetBytes / 1024), "", "414, closed, DPE"),
        new(ProxyLimit.MethodBytes, "method_bytes", Number(_rules.MaxMethodBytes), "", Refused),
        new(ProxyLimit.LeadingEmptyLines, "leading_empty_lines", Number(_rules.MaxLeadingEmptyLines), "", Refused),
        new(ProxyLimit.ConnectionOptions, "connection_options", Number(_rules.MaxConnectionOptions), "", $"{Refused}; 502, UPE for a response"),
        new(ProxyLimit.ChunkLineBytes, "chunk_line_bytes", Number(_rules.MaxChunkLineBytes), "", $"{Refused}; a response is cut off, UPE"),
        new(ProxyLimit.ChunkExtensionBytes, "chunk_extension_bytes", Kilobytes(_rules.MaxChunkExtensionBytes / 1024), "", $"{Refused}; a response is cut off, UPE"),
        new(ProxyLimit.TrailerBytes, "trailer_bytes", Kilobytes(_rules.MaxTrailerBytes / 1024), "", $"{TooLarge}; a response is cut off, UPE"),
        new(ProxyLimit.TrailerFields, "trailer_fields", Number(_rules.MaxTrailers), "", $"{TooLarge}; a response is cut off, UPE"),
        new(ProxyLimit.InterimResponses, "interim_responses", Number(_rules.MaxInterimResponses), "", "502, UPE"),
        new(ProxyLimit.BodyBytes, "body_bytes", Number(_plan.MaxBodyBytes), "weft.v1.HttpLimits, weft.v1.RouteFacts", "413, closed"),
        new(ProxyLimit.BodyRate, "body_rate", $"{Number(_plan.MinBodyRate)} B/s over 5 s", "weft.v1.HttpLimits", Slow),
        new(ProxyLimit.HeadTime, "head_time", Time(_plan.HeadMs), "request_headers_timeout", "408, closed, SI"),
        new(ProxyLimit.ClientIdleTime, "client_idle_time", Time(_plan.ClientIdleMs), "weft.v1.HttpLimits", Slow),
        new(ProxyLimit.StreamIdleTime, "stream_idle_time", Time(_plan.StreamIdleMs), "stream_idle_timeout, a route's idle_timeout", Slow),
        new(ProxyLimit.IdleTime, "idle_time", Time(_plan.IdleMs), "idle_timeout", "closed"),
        new(ProxyLimit.RequestsPerConnection, "requests_per_connection", Number(_plan.MaxRequests), "max_requests_per_connection", "the last answer says connection: close"),
        new(ProxyLimit.ConnectionTime, "connection_time", Time(_plan.MaxConnectionMs), "max_connection_duration", "the next answer says connection: close; closed if idle"),
        new(ProxyLimit.ClientConnections, "client_connections", "half of the descriptors", "overload.descriptors of the bootstrap", "waits in the kernel's queue; closed if a burst is a quarter above"),
        new(ProxyLimit.FirstBytesTime, "first_bytes_time", "5 s", "listener_filters_timeout", "taken as TCP; closed where a PROXY header is owed, DPE"),
        new(ProxyLimit.HandshakeTime, "handshake_time", Time(AcceptedConnection.HandshakeTimeoutMs), "", "closed, UF"),
        new(ProxyLimit.Mirrors, "mirrors", $"{Number(ShadowStream.Limit)} a loop", "", "the request goes on without a copy"),
        new(ProxyLimit.Questions, "questions", $"{Number(Question.Limit)} a loop", "", "counts as not answered: the request passes, or 500, RLSE where the filter denies then"),
        new(ProxyLimit.Compressors, "compressors", $"{Number(BodyCompressor.Limit)} a loop", "", "the answer goes uncompressed"),
    ];

    /// <summary>The limit that a refusal of the parser is about; none for bytes that are wrong in any amount.</summary>
    internal static ProxyLimit Of(Http1Error error) => error switch
    {
        Http1Error.HeadTooLong => ProxyLimit.HeadBytes,
        Http1Error.TooManyFields => ProxyLimit.HeadFields,
        Http1Error.TargetTooLong => ProxyLimit.TargetBytes,
        Http1Error.MethodTooLong => ProxyLimit.MethodBytes,
        Http1Error.LeadingEmptyLines => ProxyLimit.LeadingEmptyLines,
        Http1Error.TooManyConnectionOptions => ProxyLimit.ConnectionOptions,
        Http1Error.ChunkLineTooLong => ProxyLimit.ChunkLineBytes,
        Http1Error.ChunkExtensionsTooLong => ProxyLimit.ChunkExtensionBytes,
        Http1Error.TrailersTooLong => ProxyLimit.TrailerBytes,
        Http1Error.TooManyTrailers => ProxyLimit.TrailerFields,
        _ => ProxyLimit.None,
    };

    private static string Number(long number) => number == 0 ? "none" : number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Kilobytes(int kilobytes) => $"{Number(kilobytes)} KiB";

    private static string Time(int ms) => ms == 0 ? "none" : $"{Number(ms / 1000)} s";
}

/// <summary>A limit, for people.</summary>
/// <param name="Limit">Which.</param>
/// <param name="Name">Its label in <c>weft_limit_hits_total</c>.</param>
/// <param name="Default">With its unit.</param>
/// <param name="Setting">The field of xDS that sets it; empty for a constant.</param>
/// <param name="Effect">What happens to one more.</param>
internal sealed record LimitRow(ProxyLimit Limit, string Name, string Default, string Setting, string Effect);
