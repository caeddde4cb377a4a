// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>How much of the traffic each priority gets, as Envoy reckons it.</summary>
internal static class PriorityShares
{
    /// <summary>A priority counts as fully healthy from 100 / 1.4 = 72 % of its endpoints on (Envoy's overprovisioning factor).</summary>
    internal const int OverprovisioningPercent = 140;

    /// <summary>
    /// Fills in percentages with sum 100 and who is in panic, that is chooses among all of its endpoints, sick or not. If nobody is healthy
    /// and there is no panic, all goes to the first, which has nothing to offer.
    /// </summary>
    /// <param name="usable">Endpoints in rotation, priority by priority.</param>
    /// <param name="all">Endpoints, in rotation or not.</param>
    /// <param name="panicPercent">Below this share of usable endpoints a priority is in panic; 0 is never.</param>
    /// <param name="shares">The result.</param>
    /// <param name="panic">The result.</param>
    internal static void Reckon(ReadOnlySpan<int> usable, ReadOnlySpan<int> all, int panicPercent, Span<int> shares, Span<bool> panic)
    {
        shares.Clear();
        panic.Clear();
        if (shares.IsEmpty)
        {
            return;
        }

        var sum = 0;
        for (var i = 0; i < all.Length; i++)
        {
            sum += HealthOf(usable[i], all[i]);
        }

        var total = Math.Min(100, sum);
        if (total == 0 && panicPercent == 0)
        {
            shares[0] = 100;
            return;
        }

        var panicEverywhere = true;
        for (var i = 0; i < all.Length; i++)
        {
            // As long as the priorities together can carry everything, none needs to panic.
            panic[i] = total < 100 && (all[i] == 0 || 100L * usable[i] / all[i] < panicPercent);
            panicEverywhere &= panic[i];
        }

        if (panicEverywhere)
        {
            ShareByNumber(all, shares);
        }
        else
        {
            ShareByHealth(usable, all, total, shares);
        }
    }

    private static int HealthOf(int usable, int all) => all == 0 ? 0 : (int)Math.Min(100, (long)OverprovisioningPercent * usable / all);

    private static void ShareByHealth(ReadOnlySpan<int> usable, ReadOnlySpan<int> all, int total, Span<int> shares)
    {
        var left = 100;
        var first = -1;
        for (var i = 0; i < all.Length && total > 0; i++)
        {
            var health = HealthOf(usable[i], all[i]);
            shares[i] = Math.Min(left, health * 100 / total);
            left -= shares[i];
            first = first < 0 && health > 0 ? i : first;
        }

        // What rounding left over.
        shares[Math.Max(0, first)] += left;
    }

    private static void ShareByNumber(ReadOnlySpan<int> all, Span<int> shares)
    {
        var sum = 0L;
        foreach (var count in all)
        {
            sum += count;
        }

        var left = 100;
        var first = 0;
        for (var i = all.Length - 1; i >= 0 && sum > 0; i--)
        {
            shares[i] = (int)(100L * all[i] / sum);
            left -= shares[i];
            first = all[i] > 0 ? i : first;
        }

        shares[first] += left;
    }
}
