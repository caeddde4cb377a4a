// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>Header changes of a rule or destination; setting the host is taken out as the authority.</summary>
internal sealed record RouteHeaders(HeaderOperationsPlan Request, HeaderOperationsPlan Response, string? Authority)
{
    public static RouteHeaders None { get; } = new(HeaderOperationsPlan.None, HeaderOperationsPlan.None, null);
}
