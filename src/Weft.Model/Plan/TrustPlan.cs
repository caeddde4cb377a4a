// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>What a chain believes of what its clients say about themselves.</summary>
/// <param name="IsEdge">
/// Clients are strangers: fields of the mesh itself are taken away, the client's address is appended to x-forwarded-for, and the request
/// gets an id of its own.
/// </param>
/// <param name="TrustedProxies">At the edge, how many proxies in front of it tell the truth: hops counted from the right.</param>
/// <param name="ClientCertificate">What becomes of x-forwarded-client-cert.</param>
/// <param name="Underscores">What becomes of fields with an underscore in their name, which some servers take for a hyphen.</param>
/// <param name="KeepRequestId">At the edge, a client's x-request-id stays.</param>
public sealed record TrustPlan(
    bool IsEdge, int TrustedProxies, ClientCertificateField ClientCertificate, UnderscoreNames Underscores, bool KeepRequestId)
{
    /// <summary>Into a workload: its peers are proxies, and mutual TLS says which.</summary>
    public static TrustPlan Inbound { get; } = new(false, 0, ClientCertificateField.AppendForward, UnderscoreNames.Allow, false);

    /// <summary>Out of a workload: its client is the workload itself.</summary>
    public static TrustPlan Outbound { get; } = new(false, 0, ClientCertificateField.AlwaysForwardOnly, UnderscoreNames.Allow, false);

    /// <summary>A gateway without proxies in front of it.</summary>
    public static TrustPlan Edge { get; } = new(true, 0, ClientCertificateField.SanitizeSet, UnderscoreNames.Refuse, false);
}

/// <summary>Envoy's ways with x-forwarded-client-cert; without mutual TLS all but the last take it away.</summary>
public enum ClientCertificateField
{
    /// <summary>Taken away.</summary>
    Sanitize,

    /// <summary>Forwarded as it came.</summary>
    ForwardOnly,

    /// <summary>Forwarded with this connection's certificate behind it.</summary>
    AppendForward,

    /// <summary>Replaced by this connection's certificate.</summary>
    SanitizeSet,

    /// <summary>Forwarded as it came, mutual TLS or not.</summary>
    AlwaysForwardOnly,
}

/// <summary>Envoy's ways with underscores in field names.</summary>
public enum UnderscoreNames
{
    Allow,

    /// <summary>The request is refused with 400.</summary>
    Refuse,

    /// <summary>The field is taken away.</summary>
    Drop,
}
