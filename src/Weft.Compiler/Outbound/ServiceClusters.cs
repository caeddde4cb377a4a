// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Compiler.Outbound;

/// <summary>The clusters of a service and their endpoints.</summary>
internal sealed record ServiceClusters(IReadOnlyList<ClusterPlan> Clusters, IReadOnlyList<EndpointsPlan> Endpoints);
