// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Compiler.Outbound;

/// <summary>Puts the header operations of a route and of its only destination together: as if the destination's ran after the route's.</summary>
internal static class HeaderMerge
{
    public static HeaderOperationsPlan Combine(HeaderOperationsPlan route, HeaderOperationsPlan? destination)
    {
        if (destination is null || destination.IsNone)
        {
            return route;
        }

        if (route.IsNone)
        {
            return destination;
        }

        var replaced = destination.Set.Select(h => h.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return new HeaderOperationsPlan(
            route.Set.Where(h => !replaced.Contains(h.Name)).Concat(destination.Set).ToEquatableArray(),
            route.Add.Where(h => !replaced.Contains(h.Name)).Concat(destination.Add).ToEquatableArray(),
            route.Remove.Concat(destination.Remove).Distinct(StringComparer.OrdinalIgnoreCase).ToEquatableArray());
    }

    /// <summary>
    /// The operations of one of several destinations. They run before the route's, so what the route sets or removes is not theirs to
    /// say; it is left out here, so that nothing depends on the order in which a proxy applies them.
    /// </summary>
    public static HeaderOperationsPlan Below(HeaderOperationsPlan route, HeaderOperationsPlan destination, bool keepAuthority)
    {
        var kept = keepAuthority ? destination : WithoutAuthority(destination)!;
        var decided = route.Set.Select(h => h.Name).Concat(route.Remove).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return decided.Count == 0 || kept.IsNone
            ? kept
            : kept with
            {
                Set = kept.Set.Where(h => !decided.Contains(h.Name)).ToEquatableArray(),
                Add = kept.Add.Where(h => !decided.Contains(h.Name)).ToEquatableArray(),
            };
    }

    /// <summary>The authority that the operations set; null if they set none.</summary>
    public static string? Authority(HeaderOperationsPlan operations) =>
        (operations.Set.LastOrDefault(IsAuthority) ?? operations.Add.LastOrDefault(IsAuthority))?.Value;

    public static HeaderOperationsPlan? WithoutAuthority(HeaderOperationsPlan? operations) =>
        operations is null || Authority(operations) is null
            ? operations
            : operations with
            {
                Set = operations.Set.Where(h => !IsAuthority(h)).ToEquatableArray(),
                Add = operations.Add.Where(h => !IsAuthority(h)).ToEquatableArray(),
            };

    private static bool IsAuthority(HeaderPlan header) => header.Name is "host" or ":authority";
}
