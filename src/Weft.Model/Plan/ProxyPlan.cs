// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>
/// Everything one proxy must do, immutable; what delta xDS carries, in its shape: listeners (LDS), route tables (RDS),
/// clusters (CDS) and endpoints (EDS). Resource names are Istio's (<c>outbound|80||reviews.shop.svc.cluster.local</c>); each list is
/// sorted by name, ordinal, so that plans that say the same are equal whatever order their resources arrived in.
/// </summary>
public sealed record ProxyPlan(
    EquatableArray<ListenerPlan> Listeners,
    EquatableArray<RouteTablePlan> RouteTables,
    EquatableArray<ClusterPlan> Clusters,
    EquatableArray<EndpointsPlan> Endpoints)
{
    /// <summary>Keys, certificates and roots of the operator's own (SDS). What refers to one that is missing here does not work.</summary>
    public EquatableArray<SecretPlan> Secrets { get; init; } = [];

    /// <summary>A plan that serves nothing: what a proxy has before its first one. No plan, no traffic.</summary>
    public static ProxyPlan Empty { get; } = new([], [], [], []);
}
