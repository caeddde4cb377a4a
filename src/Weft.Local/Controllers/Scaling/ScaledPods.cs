// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Local.Controllers.Scaling;

/// <summary>The pods of an autoscaler's target, how many are wished now, and how far their use may be from its target without a change.</summary>
/// <param name="Tolerance">Above and below the target, as parts of it.</param>
internal sealed record ScaledPods(IReadOnlyList<JsonObject> All, long Current, (double Up, double Down) Tolerance)
{
    /// <summary>
    /// The ratio of use to target times the pods that were measured. Pods without a value are taken as idle when the number would
    /// grow, as fully used when it would shrink, and never turn one into the other.
    /// </summary>
    public long Replicas(double ratio, int measured)
    {
        if (IsNear(ratio) || double.IsNaN(ratio))
        {
            return Current;
        }

        if (measured < All.Count)
        {
            var rest = All.Count - measured;
            var careful = ratio > 1 ? ratio * measured / All.Count : ((ratio * measured) + rest) / All.Count;
            if (IsNear(careful) || (ratio > 1 && careful < 1) || (ratio < 1 && careful > 1))
            {
                return Current;
            }

            (ratio, measured) = (careful, All.Count);
        }

        var wanted = (long)Math.Ceiling(Math.Round(ratio * measured, 6));
        return (ratio > 1 && wanted < Current) || (ratio < 1 && wanted > Current) ? Current : wanted;
    }

    private bool IsNear(double ratio) => ratio >= 1 - Tolerance.Down && ratio <= 1 + Tolerance.Up;
}
