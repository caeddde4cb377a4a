// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;

namespace Weft.Compiler.Index;

/// <summary>Orders intents by creation; equals by name, then by namespace, so that the order never depends on chance.</summary>
internal sealed class IntentAge : IComparer<MeshIntent>
{
    public static IntentAge Oldest { get; } = new();

    public int Compare(MeshIntent? x, MeshIntent? y)
    {
        if (x is null || y is null)
        {
            return (x is null ? 0 : 1) - (y is null ? 0 : 1);
        }

        var order = x.CreatedAt.CompareTo(y.CreatedAt);
        if (order == 0)
        {
            order = string.CompareOrdinal(x.Origin.Name, y.Origin.Name);
        }

        return order != 0 ? order : string.CompareOrdinal(x.Origin.Namespace, y.Origin.Namespace);
    }
}
