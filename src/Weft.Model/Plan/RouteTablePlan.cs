// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>A named set of virtual hosts; <c>80</c>, <c>reviews.shop.svc.cluster.local:9080</c> or <c>inbound|8080||</c>.</summary>
public sealed record RouteTablePlan(string Name, EquatableArray<VirtualHostPlan> VirtualHosts);

/// <summary>The routes of one authority. Domains: exact, <c>*.suffix</c>, <c>prefix.*</c> or <c>*</c>, in this order of precedence.</summary>
public sealed record VirtualHostPlan(string Name, EquatableArray<string> Domains, EquatableArray<RoutePlan> Routes);
