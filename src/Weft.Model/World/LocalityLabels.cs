// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Model.World;

/// <summary>The labels of a pod that say where it runs.</summary>
public static class LocalityLabels
{
    public const string Region = "topology.kubernetes.io/region";
    public const string Zone = "topology.kubernetes.io/zone";
    public const string Subzone = "topology.istio.io/subzone";
    public const string Hostname = "kubernetes.io/hostname";

    /// <summary>All three parts in one, with dots for slashes.</summary>
    private const string Whole = "topology.istio.io/locality";
    private const string OldWhole = "istio-locality";

    /// <summary>The locality in the form <c>region/zone/subzone</c>; one label for all comes before labels for each part.</summary>
    public static string Of(EquatableArray<Label> labels)
    {
        var whole = Find(labels, Whole) is { Length: > 0 } said ? said : Find(labels, OldWhole);
        if (whole.Length == 0)
        {
            return Localities.Join(Find(labels, Region), Find(labels, Zone), Find(labels, Subzone));
        }

        // Zones may have dots of their own only where slashes are written, which labels cannot hold.
        var (region, zone, subzone) = Localities.Split(whole.Replace('.', '/'));
        return Localities.Join(region, zone, subzone);
    }

    /// <summary>The value of a label; empty if there is none.</summary>
    public static string Find(EquatableArray<Label> labels, string key)
    {
        foreach (var label in labels)
        {
            if (label.Key == key)
            {
                return label.Value;
            }
        }

        return "";
    }
}
