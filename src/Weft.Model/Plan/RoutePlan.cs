// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Model.Plan;

/// <summary>One rule: the first whose match holds decides. Exactly one of the three actions is set.</summary>
/// <param name="Name">Shown as %ROUTE_NAME%.</param>
/// <param name="Match">What the request must look like.</param>
/// <param name="Forward">Send it to a cluster.</param>
/// <param name="Redirect">Answer with a Location.</param>
/// <param name="Direct">Answer with a fixed response.</param>
/// <param name="Fault">Delay or abort first (client side).</param>
/// <param name="RequestHeaders">Applied to the request before it is forwarded.</param>
/// <param name="ResponseHeaders">Applied to the response on its way back.</param>
/// <param name="Origin">The object that made this rule.</param>
public sealed record RoutePlan(
    string Name,
    RouteMatchPlan Match,
    ForwardPlan? Forward,
    RedirectPlan? Redirect,
    DirectResponsePlan? Direct,
    FaultPlan? Fault,
    HeaderOperationsPlan RequestHeaders,
    HeaderOperationsPlan ResponseHeaders,
    Origin Origin)
{
    /// <summary>Body of one request; more is answered 413. 0 for the chain's limit.</summary>
    public long MaxBodyBytes { get; init; }

    /// <summary>Which pages of other origins may ask; null leaves that to the server.</summary>
    public CorsPlan? Cors { get; init; }

    /// <summary>Replaces the chain's limit for this route; null leaves that.</summary>
    public RateLimitPlan? RateLimit { get; init; }
}

/// <summary>How a text is compared.</summary>
public enum TextMatchKind
{
    Exact,
    Prefix,
    Suffix,
    Regex,
    Present,
}

/// <summary>A comparison of one text. Regular expressions are RE2 syntax, full match, at most 1,024 characters.</summary>
/// <param name="Kind">How.</param>
/// <param name="Value">With what; empty for <see cref="TextMatchKind.Present"/>.</param>
/// <param name="Invert">True if the comparison must not hold.</param>
/// <param name="IgnoreCase">Exact and prefix only.</param>
public sealed record TextMatchPlan(TextMatchKind Kind, string Value, bool Invert = false, bool IgnoreCase = false);

/// <summary>A condition on a named header or query parameter. <c>:method</c>, <c>:authority</c> and <c>:scheme</c> are headers here.</summary>
public sealed record NamedMatchPlan(string Name, TextMatchPlan Text);

/// <summary>All conditions must hold. The path is matched without its query.</summary>
public sealed record RouteMatchPlan(
    TextMatchPlan Path,
    EquatableArray<NamedMatchPlan> Headers,
    EquatableArray<NamedMatchPlan> QueryParameters)
{
    public static RouteMatchPlan Everything { get; } = new(new TextMatchPlan(TextMatchKind.Prefix, "/"), [], []);

    /// <summary>
    /// Takes CONNECT requests and nothing else; no other route takes them. Such a request has no path, so <see cref="Path"/> means nothing
    /// and is that of <see cref="Everything"/>. Forwarding one makes a tunnel to an endpoint.
    /// </summary>
    public bool Connect { get; init; }
}

/// <summary>
/// One destination and its share; weights are relative. Header operations apply only when it is chosen, before the route's; they never
/// set what the route sets or removes.
/// </summary>
public sealed record WeightedClusterPlan(
    string Cluster,
    int Weight,
    HeaderOperationsPlan RequestHeaders,
    HeaderOperationsPlan ResponseHeaders)
{
    public static WeightedClusterPlan Only(string cluster) =>
        new(cluster, 1, HeaderOperationsPlan.None, HeaderOperationsPlan.None);
}

/// <summary>Send the request on. A cluster that does not exist answers 503 with flag NC.</summary>
/// <param name="Clusters">At least one.</param>
/// <param name="TimeoutMs">For the whole request with its retries; 0 for none. Expiry answers 504, flag UT.</param>
/// <param name="Retry">Null for none.</param>
/// <param name="Rewrite">Null for none.</param>
public sealed record ForwardPlan(
    EquatableArray<WeightedClusterPlan> Clusters,
    int TimeoutMs,
    RetryPlan? Retry,
    RewritePlan? Rewrite)
{
    /// <summary>What of a request is hashed, for clusters that balance by hash; the first that finds something and is terminal ends the list.</summary>
    public EquatableArray<HashPolicyPlan> HashPolicies { get; init; } = [];

    /// <summary>True starts a second try, the first going on, when the per-try timeout expires; the first good answer wins.</summary>
    public bool HedgeOnPerTryTimeout { get; init; }

    /// <summary>Without a byte in either direction for so long the stream ends; 0 for the chain's default.</summary>
    public int IdleTimeoutMs { get; init; }

    /// <summary>Clusters that get a copy of a share of the requests; nobody waits for their answers.</summary>
    public EquatableArray<MirrorPlan> Mirrors { get; init; } = [];

    /// <summary>How requests are described to limits that count them apart.</summary>
    public EquatableArray<RateDescriptorPlan> RateDescriptors { get; init; } = [];

    /// <summary>A client's grpc-timeout stands for <see cref="TimeoutMs"/>, up to this; 0 for any, -1 ignores it.</summary>
    public int MaxGrpcTimeoutMs { get; init; }
}

/// <summary>Copies go to a cluster for a share of the requests, in parts per million; their host ends in <c>-shadow</c>.</summary>
public sealed record MirrorPlan(string Cluster, int Ppm);

/// <summary>
/// Cross-origin resource sharing (the Fetch standard's CORS): who may ask is told by the proxy, and a browser's question in advance is
/// answered by it. A list is empty where its header is not sent.
/// </summary>
/// <param name="Origins">Any of them suffices; a comparison that a single <c>*</c> passes is passed by every origin.</param>
/// <param name="AllowMethods">For the answer to a question in advance, separated by commas.</param>
/// <param name="AllowHeaders">The same.</param>
/// <param name="ExposeHeaders">Headers of answers that pages may read.</param>
/// <param name="MaxAgeSeconds">How long browsers remember the answer; -1 does not say.</param>
/// <param name="AllowCredentials">Pages may send cookies and the like.</param>
/// <param name="ForwardsUnmatched">The server answers questions in advance of other origins; else the proxy does, and allows nothing.</param>
public sealed record CorsPlan(
    EquatableArray<TextMatchPlan> Origins,
    string AllowMethods,
    string AllowHeaders,
    string ExposeHeaders,
    long MaxAgeSeconds,
    bool AllowCredentials,
    bool ForwardsUnmatched);

/// <summary>Where a hash comes from.</summary>
public enum HashSource
{
    Header,

    /// <summary>A cookie; made and set where the client has none and <see cref="HashPolicyPlan.TtlMs"/> is not negative.</summary>
    Cookie,
    SourceAddress,
    QueryParameter,
}

/// <summary>One thing to hash.</summary>
/// <param name="Source">Where it is.</param>
/// <param name="Name">Of the header (lower case), cookie or parameter; empty for the source address.</param>
/// <param name="Path">Of a made cookie.</param>
/// <param name="TtlMs">Of a made cookie; 0 makes a session cookie, -1 none.</param>
/// <param name="Terminal">True ends the list if this found something.</param>
public sealed record HashPolicyPlan(HashSource Source, string Name, string Path, long TtlMs, bool Terminal)
{
    /// <summary>Of a made cookie, beside those that follow from the rest: <c>SameSite=Lax</c>, or a name alone such as <c>Secure</c>.</summary>
    public EquatableArray<CookieAttributePlan> Attributes { get; init; } = [];
}

/// <summary>An attribute of a cookie; the value is empty for one that is a name alone.</summary>
public sealed record CookieAttributePlan(string Name, string Value);

/// <summary>When to try again. <paramref name="RetryOn"/> holds Envoy's words (<c>connect-failure</c>, <c>5xx</c>, ...).</summary>
/// <param name="Attempts">Number of retries after the first try.</param>
/// <param name="PerTryTimeoutMs">0 for none.</param>
/// <param name="RetryOn">Conditions; any of them suffices.</param>
/// <param name="StatusCodes">Used by <c>retriable-status-codes</c>.</param>
/// <param name="BackoffBaseMs">First back-off; doubles with full jitter up to ten times.</param>
public sealed record RetryPlan(
    int Attempts,
    int PerTryTimeoutMs,
    EquatableArray<string> RetryOn,
    EquatableArray<int> StatusCodes,
    int BackoffBaseMs)
{
    /// <summary>The longest back-off; 0 for ten times the first.</summary>
    public int BackoffMaxMs { get; init; }

    /// <summary>False may choose an endpoint again that this request has tried.</summary>
    public bool AvoidsTriedEndpoints { get; init; } = true;

    /// <summary>After every second try the priorities that were tried are left out while there are others.</summary>
    public bool LeavesTriedPriorities { get; init; }

    /// <summary>A try ends when nothing came from the server for so long, also while its answer is coming; 0 for none.</summary>
    public int PerTryIdleMs { get; init; }

    /// <summary>Where there are any, only a request that fits one of these is tried again.</summary>
    public EquatableArray<NamedMatchPlan> RequestHeaders { get; init; } = [];

    /// <summary>Fields of an answer that say when to come again; the first that can be read and is near enough stands for the back-off.</summary>
    public EquatableArray<ResetHeaderPlan> ResetHeaders { get; init; } = [];

    /// <summary>A time further away than this is not waited for; 0 for five minutes.</summary>
    public int ResetMaxMs { get; init; }

    /// <summary>Used by <c>retriable-headers</c>: an answer that fits one of these is tried again.</summary>
    public EquatableArray<NamedMatchPlan> Headers { get; init; } = [];
}

/// <summary>A field of an answer that tells a time: seconds from its coming, or, as a timestamp, seconds since 1970.</summary>
public sealed record ResetHeaderPlan(string Name, bool IsTimestamp);

/// <summary>
/// Change path or authority before forwarding; null leaves it. <paramref name="Path"/> replaces the matched prefix when the
/// route matched by prefix, else the whole path; <paramref name="RegexPattern"/> substitutes with <c>\1</c> groups.
/// </summary>
public sealed record RewritePlan(string? Path, string? Authority, string? RegexPattern, string? RegexSubstitution);

/// <summary>Answer 301, 302, 303, 307 or 308. Null keeps that part of the request's URL; port 0 keeps the port.</summary>
public sealed record RedirectPlan(string? Path, string? PrefixRewrite, string? Authority, string? Scheme, int Port, int Code);

/// <summary>Answer with this status (200 to 599) and body (at most 1 MiB).</summary>
public sealed record DirectResponsePlan(int Status, string Body);

/// <summary>
/// Injected trouble: first the delay, then the abort; each for its share of requests in parts per million. 0 in
/// <paramref name="DelayMs"/> is no delay; 0 in both statuses is no abort.
/// </summary>
public sealed record FaultPlan(int DelayMs, int DelayPpm, int AbortStatus, int AbortGrpcStatus, int AbortPpm);

/// <summary>Header changes in the order remove, set (overwrite), add (append). Values may hold Envoy's % operators.</summary>
public sealed record HeaderOperationsPlan(
    EquatableArray<HeaderPlan> Set,
    EquatableArray<HeaderPlan> Add,
    EquatableArray<string> Remove)
{
    public static HeaderOperationsPlan None { get; } = new([], [], []);

    public bool IsNone => Set.Count == 0 && Add.Count == 0 && Remove.Count == 0;
}

/// <summary>A header name (lower case) and value.</summary>
public sealed record HeaderPlan(string Name, string Value);
