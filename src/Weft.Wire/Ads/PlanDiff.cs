// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Weft.Wire.Ads;

/// <summary>Comparison and lookup in lists of resources sorted by name.</summary>
internal static class PlanDiff
{
    /// <summary>Adds the names that are new, gone or of another version. One walk; equal objects cost one comparison.</summary>
    public static void AddChangedNames(
        ReadOnlySpan<EncodedResource> before, ReadOnlySpan<EncodedResource> after, ISet<string> names)
    {
        var (i, j) = (0, 0);
        while (i < before.Length || j < after.Length)
        {
            if (i < before.Length && j < after.Length && ReferenceEquals(before[i], after[j]))
            {
                i++;
                j++;
                continue;
            }

            var order = i == before.Length ? 1
                : j == after.Length ? -1
                : string.CompareOrdinal(before[i].Name, after[j].Name);
            if (order != 0)
            {
                names.Add(order < 0 ? before[i++].Name : after[j++].Name);
                continue;
            }

            if (before[i].Version != after[j].Version)
            {
                names.Add(after[j].Name);
            }

            i++;
            j++;
        }
    }

    public static EncodedResource? Find(ImmutableArray<EncodedResource> resources, string name)
    {
        var (low, high) = (0, resources.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = string.CompareOrdinal(resources[middle].Name, name);
            if (order == 0)
            {
                return resources[middle];
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }
}
