// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Weft.Control.Serving;

/// <summary>How far a proxy is, at one moment.</summary>
/// <param name="Name"><c>pod.namespace</c>.</param>
/// <param name="NodeId">In full.</param>
/// <param name="Cluster">The cluster id it says.</param>
/// <param name="Version">The proxy's own version.</param>
/// <param name="ConnectedAt">Since when.</param>
/// <param name="Types">One entry per type of resource.</param>
public sealed record ProxyStatus(
    string Name,
    string NodeId,
    string Cluster,
    string Version,
    DateTimeOffset ConnectedAt,
    ImmutableArray<TypeStatus> Types);

/// <summary>One type of resource.</summary>
/// <param name="Type">CDS, EDS, LDS, RDS or SDS.</param>
/// <param name="State">SYNCED, STALE, NOT SENT or REJECTED.</param>
/// <param name="Sent">Number of the newest snapshot sent; 0 for none.</param>
/// <param name="SentAt">When.</param>
/// <param name="Acknowledged">Number of the newest snapshot confirmed; 0 for none.</param>
/// <param name="AcknowledgedAt">When.</param>
/// <param name="Reason">Why the proxy refused the last response; empty if it did not.</param>
public sealed record TypeStatus(
    string Type,
    string State,
    long Sent,
    DateTimeOffset SentAt,
    long Acknowledged,
    DateTimeOffset AcknowledgedAt,
    string Reason)
{
    public const string Synced = "SYNCED";
    public const string Stale = "STALE";
    public const string NotSent = "NOT SENT";
    public const string Rejected = "REJECTED";

    public static TypeStatus None(string type) => new(type, NotSent, 0, default, 0, default, "");
}
