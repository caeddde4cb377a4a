// SPDX-License-Identifier: Apache-2.0

namespace Weft.Compiler.Index;

/// <summary>Stands for a sequence of objects in a <see cref="PartKey"/>: the same objects in the same order are the same chain.</summary>
internal sealed class Chain
{
    private static readonly object _absent = new();

    private Chain()
    {
    }

    public static Chain Of(PartCache parts, IEnumerable<object?> items)
    {
        Chain? chain = null;
        foreach (var item in items)
        {
            chain = parts.Get(new PartKey("chain", chain, item ?? _absent, null, ""), static () => new Chain());
        }

        return chain ?? parts.Get(new PartKey("chain", null, null, null, ""), static () => new Chain());
    }
}
