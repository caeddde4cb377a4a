// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>The arithmetic of a Deployment: how many pods each of its ReplicaSets shall have next. Pure.</summary>
internal sealed record Rollout(long Replicas, long MaxSurge, long MaxUnavailable, bool Recreate)
{
    /// <summary>How many pods one ReplicaSet asks for and has.</summary>
    internal sealed record Side(string Name, long Wanted, long Existing, long Available)
    {
        public static Side Of(JsonObject set) => new(
            set.Name(),
            set.Number("spec", "replicas") ?? 1,
            set.Number("status", "replicas") ?? 0,
            set.Number("status", "availableReplicas") ?? 0);
    }

    public static Rollout Parse(JsonObject deployment)
    {
        var replicas = deployment.Number("spec", "replicas") ?? 1;
        var strategy = deployment.Find("spec", "strategy");
        var surge = Resolve(strategy.Find("rollingUpdate", "maxSurge"), replicas, roundUp: true);
        var unavailable = Resolve(strategy.Find("rollingUpdate", "maxUnavailable"), replicas, roundUp: false);
        if (surge == 0 && unavailable == 0)
        {
            // Neither more nor fewer would never move.
            unavailable = 1;
        }

        return new Rollout(replicas, surge, Math.Min(unavailable, replicas), strategy?.Text("type") == "Recreate");
    }

    /// <summary>The new set's number, and those of the old ones (oldest first) that change.</summary>
    public (long New, IReadOnlyDictionary<string, long> Old) Next(Side current, IReadOnlyList<Side> old)
    {
        var changes = new Dictionary<string, long>(StringComparer.Ordinal);
        if (Recreate)
        {
            foreach (var side in old.Where(side => side.Wanted > 0))
            {
                changes[side.Name] = 0;
            }

            var oldHaveEnded = old.All(side => side is { Wanted: 0, Existing: 0 });
            return (oldHaveEnded ? Replicas : Math.Min(current.Wanted, Replicas), changes);
        }

        var total = current.Wanted + old.Sum(side => side.Wanted);
        var next = Math.Min(Replicas, current.Wanted + Math.Max(0, Replicas + MaxSurge - total));
        ShrinkOld(current, old, changes);
        return (next, changes);
    }

    private void ShrinkOld(Side current, IReadOnlyList<Side> old, Dictionary<string, long> changes)
    {
        var least = Replicas - MaxUnavailable;
        var total = current.Wanted + old.Sum(side => side.Wanted);
        var newNotYet = current.Wanted - current.Available;
        var removable = total - least - newNotYet;
        // Those that do not serve are no loss: they go first, or a rollout that started badly could never be mended.
        foreach (var side in old)
        {
            var broken = Math.Max(0, Math.Min(removable, side.Wanted - side.Available));
            if (broken > 0)
            {
                changes[side.Name] = side.Wanted - broken;
                removable -= broken;
            }
        }

        var serving = current.Available + old.Sum(side => side.Available);
        var spare = Math.Min(Math.Max(0, serving - least), Math.Max(0, removable));
        foreach (var side in old)
        {
            var left = changes.GetValueOrDefault(side.Name, side.Wanted);
            var fewer = Math.Min(spare, left);
            if (fewer > 0)
            {
                changes[side.Name] = left - fewer;
                spare -= fewer;
            }
        }
    }

    private static long Resolve(JsonNode? value, long replicas, bool roundUp)
    {
        var text = value is null ? "25%" : value.ToString();
        if (!text.EndsWith('%'))
        {
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;
        }

        var share = double.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var percent) ? percent * replicas / 100 : 0;
        return (long)(roundUp ? Math.Ceiling(share) : Math.Floor(share));
    }
}
