// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Deployments;

/// <summary>The arithmetic of a Deployment: how many pods each of its ReplicaSets shall have next. Pure.</summary>
internal sealed record Rollout(long Replicas, long MaxSurge, long MaxUnavailable, bool Recreate)
{
    /// <summary>How many pods one ReplicaSet asks for and has.</summary>
    /// <param name="Desired">The Deployment's number when the set was last scaled, and with the surge the most there could be.</param>
    internal sealed record Side(string Name, long Wanted, long Existing, long Available, long? Desired = null, long? Most = null)
    {
        public static Side Of(JsonObject set) => new(
            set.Name(),
            set.Number("spec", "replicas") ?? 1,
            set.Number("status", "replicas") ?? 0,
            set.Number("status", "availableReplicas") ?? 0,
            Annotated(set, TemplateSets.DesiredAnnotation),
            Annotated(set, TemplateSets.MaxAnnotation));

        private static long? Annotated(JsonObject set, string name) =>
            long.TryParse(set.Annotation(name), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;
    }

    public static Rollout Parse(JsonObject deployment)
    {
        var replicas = deployment.Number("spec", "replicas") ?? 1;
        var strategy = deployment.Find("spec", "strategy");
        if (strategy?.Text("type") == "Recreate")
        {
            return new Rollout(replicas, 0, 0, Recreate: true);
        }

        var surge = Share.Of(strategy.Find("rollingUpdate", "maxSurge"), "25%", replicas, roundUp: true);
        var unavailable = Share.Of(strategy.Find("rollingUpdate", "maxUnavailable"), "25%", replicas, roundUp: false);
        if (surge == 0 && unavailable == 0)
        {
            // Neither more nor fewer would never move.
            unavailable = 1;
        }

        return new Rollout(replicas, surge, Math.Min(unavailable, replicas), Recreate: false);
    }

    /// <summary>The new set's number, and those of the old ones (oldest first) that change.</summary>
    public (long New, IReadOnlyDictionary<string, long> Old) Next(Side current, IReadOnlyList<Side> old, bool oldPodsAreLeft = false)
    {
        var changes = new Dictionary<string, long>(StringComparer.Ordinal);
        if (Recreate)
        {
            foreach (var side in old.Where(side => side.Wanted > 0))
            {
                changes[side.Name] = 0;
            }

            var oldHaveEnded = !oldPodsAreLeft && old.All(side => side is { Wanted: 0, Existing: 0 });
            return (oldHaveEnded ? Replicas : Math.Min(current.Wanted, Replicas), changes);
        }

        var total = current.Wanted + old.Sum(side => side.Wanted);
        var next = Math.Min(Replicas, current.Wanted + Math.Max(0, Replicas + MaxSurge - total));
        ShrinkOld(current, old, changes);
        return (next, changes);
    }

    /// <summary>
    /// Another number of replicas while several sets have pods: each takes its share of the difference, the greatest first, so that
    /// what a paused or half-done rollout risks stays the same.
    /// </summary>
    public Dictionary<string, long> Proportion(Side? current, IReadOnlyList<Side> old)
    {
        var changes = new Dictionary<string, long>(StringComparer.Ordinal);
        var active = old.Append(current).OfType<Side>().Where(side => side.Wanted > 0).ToList();
        if (active.Count <= 1)
        {
            if ((active.FirstOrDefault() ?? current ?? (old.Count > 0 ? old[^1] : null)) is { } only)
            {
                changes[only.Name] = Replicas;
            }

            return changes;
        }

        if (current is not null && current.Wanted >= Replicas && current.Available >= Replicas && current.Desired == Replicas)
        {
            // The new set serves by itself: what is left of the old ones goes.
            return active.Where(side => side.Name != current.Name).ToDictionary(side => side.Name, _ => 0L, StringComparer.Ordinal);
        }

        var total = active.Sum(side => side.Wanted);
        var allowed = Replicas > 0 ? Replicas + MaxSurge : 0;
        var left = allowed - total;
        var growing = left > 0;
        foreach (var side in active.OrderByDescending(side => side.Wanted))
        {
            var share = Math.Clamp(ShareOf(side), growing ? 0 : left, growing ? left : 0);
            changes[side.Name] = Math.Max(0, side.Wanted + share);
            left -= share;
        }

        var greatest = active.MaxBy(side => side.Wanted)!;
        changes[greatest.Name] = Math.Max(0, changes[greatest.Name] + left);
        return changes;

        long ShareOf(Side side)
        {
            var most = side.Most is > 0 and { } known ? known : total;
            return (long)Math.Round(side.Wanted * (double)allowed / most, MidpointRounding.AwayFromZero) - side.Wanted;
        }
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
}
