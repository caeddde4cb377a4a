// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>Services that were written down for the mesh, and who serves them.</summary>
/// <param name="Services">One for each host.</param>
/// <param name="Endpoints">As written; their addresses may be names where DNS is asked.</param>
/// <param name="Selector">Pods and workload entries of the namespace that serve; null for the list.</param>
public sealed record ServiceEntrySpec(EquatableArray<Service> Services, EquatableArray<Workload> Endpoints, LabelSelector? Selector);
