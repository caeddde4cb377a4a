// SPDX-License-Identifier: Apache-2.0

namespace Weft.Wire.Dump;

/// <summary>What a dump says beside the plan.</summary>
/// <param name="NodeId">As in xDS, <c>sidecar~IP~POD.NS~NS.svc.cluster.local</c>.</param>
/// <param name="NodeCluster">The node's cluster.</param>
/// <param name="NodeMetadata">Flat names and values.</param>
/// <param name="ProxyVersion">Of the program.</param>
/// <param name="ChainPem">The workload's certificates; null before there are any.</param>
/// <param name="RootsPem">The roots; null before there are any.</param>
/// <param name="UpdatedAt">When the plan came into force.</param>
/// <param name="VersionOf">The version of a resource by type URL and name; null if it is not known.</param>
public sealed record DumpFacts(
    string NodeId,
    string NodeCluster,
    IReadOnlyDictionary<string, string> NodeMetadata,
    string ProxyVersion,
    string? ChainPem,
    string? RootsPem,
    DateTimeOffset UpdatedAt,
    Func<string, string, string?> VersionOf);
