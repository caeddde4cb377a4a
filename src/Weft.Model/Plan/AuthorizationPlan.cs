// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>
/// One list of rules that a chain's connections or requests are judged by; a chain has several, which all must let them pass. Rules are
/// sorted by name, ordinal, and the first that holds is the one that is named.
/// </summary>
/// <param name="Action">What a rule that holds means.</param>
/// <param name="Rules">None at all: nothing holds.</param>
public sealed record AuthorizationPlan(AuthorizationAction Action, EquatableArray<AuthorizationRulePlan> Rules)
{
    /// <summary>Judged and counted only; nothing is refused.</summary>
    public bool IsShadow { get; init; }
}

/// <summary>What it means that a rule holds.</summary>
public enum AuthorizationAction
{
    /// <summary>It may pass; what no rule holds for is refused.</summary>
    Allow,

    /// <summary>It is refused; what no rule holds for passes.</summary>
    Deny,

    /// <summary>It is noted, and passes.</summary>
    Audit,
}

/// <summary>Holds if one alternative of <paramref name="From"/> and one of <paramref name="To"/> hold; all clauses of an alternative must.</summary>
/// <param name="Name">Says which it was: <c>ns[shop]-policy[deny-admin]-rule[0]</c>.</param>
/// <param name="From">About the caller; at least one, and one without clauses is anybody.</param>
/// <param name="To">About what is asked for; at least one, and one without clauses is anything.</param>
/// <param name="Origin">Its place in its object; null if nobody wrote it.</param>
public sealed record AuthorizationRulePlan(
    string Name, EquatableArray<AuthorizationTermPlan> From, EquatableArray<AuthorizationTermPlan> To, Diagnostics.Origin? Origin = null)
{
    /// <summary>The most pairs of alternatives that all rules of one list may have together; a proxy refuses a longer list.</summary>
    public const int MaxPairs = 65_536;
}

/// <summary>Clauses that must all hold.</summary>
public sealed record AuthorizationTermPlan(EquatableArray<AuthorizationClausePlan> Clauses)
{
    /// <summary>Always holds.</summary>
    public static AuthorizationTermPlan Anything { get; } = new([]);
}

/// <summary>Holds if one of the matches holds; turned round, if none does. What is absent matches nothing; of a field that is repeated all values must be right to allow, and one is enough otherwise.</summary>
public sealed record AuthorizationClausePlan(bool Not, EquatableArray<AttributeMatchPlan> AnyOf);

/// <summary>One comparison of one attribute. A list matches if one of its values does.</summary>
/// <param name="Attribute">What is compared.</param>
/// <param name="Key">The field's name in lower case, or the claim's path joined by <see cref="RequestTraits.KeySeparator"/>; else empty.</param>
/// <param name="Kind">How.</param>
/// <param name="Value">With what; empty for <see cref="AttributeMatchKind.Present"/>.</param>
public sealed record AttributeMatchPlan(RequestTrait Attribute, string Key, AttributeMatchKind Kind, string Value);

/// <summary>How an attribute is compared.</summary>
public enum AttributeMatchKind
{
    Exact,
    Prefix,
    Suffix,

    /// <summary>There and not empty.</summary>
    Present,

    /// <summary>RE2, the whole text; of <see cref="RequestTrait.Principal"/> with its scheme.</summary>
    Regex,

    /// <summary>A path in which <c>{*}</c> is one segment and <c>{**}</c> any number of characters.</summary>
    Template,

    /// <summary>An address block.</summary>
    Network,
}

/// <summary>What of a connection or request policies look at.</summary>
public enum RequestTrait
{
    /// <summary>The peer's identity without its scheme: <c>cluster.local/ns/shop/sa/web</c>. It and the next three need mutual TLS.</summary>
    Principal,
    Namespace,

    /// <summary><c>namespace/account</c>.</summary>
    ServiceAccount,
    TrustDomain,

    /// <summary>Of the connection's other end.</summary>
    SourceAddress,

    /// <summary>Of the client as trusted proxies tell it.</summary>
    RemoteAddress,
    DestinationAddress,

    /// <summary>The workload's own port, in digits.</summary>
    DestinationPort,
    ServerName,

    /// <summary>In any case; with its port where it has one.</summary>
    Host,
    Method,

    /// <summary>Normalized, without its query.</summary>
    Path,
    Header,

    /// <summary>Of a verified token: <c>issuer/subject</c>.</summary>
    TokenPrincipal,
    TokenAudience,
    TokenPresenter,
    TokenClaim,
}

/// <summary>Which attributes exist where.</summary>
public static class RequestTraits
{
    /// <summary>Between the names of a claim's path; no name holds it.</summary>
    public const char KeySeparator = '\n';

    /// <summary>False for what a connection has without any request.</summary>
    public static bool NeedsRequest(this RequestTrait attribute) => attribute >= RequestTrait.Host;
}
