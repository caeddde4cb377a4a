// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Authorization;

/// <summary>For one comparison: the pairs of alternatives that need it, and those that it rules out; one bit each, words without bits left out.</summary>
internal sealed class Posting
{
    private readonly List<(int Word, ulong Bits)> _needed = [];
    private readonly List<(int Word, ulong Bits)> _barred = [];

    internal void Add(int pair, bool bars) => Set(bars ? _barred : _needed, pair);

    internal void Mark(in Marks marks)
    {
        foreach (var (word, bits) in _needed)
        {
            marks.Held[word] |= bits;
        }

        foreach (var (word, bits) in _barred)
        {
            marks.Left[word] &= ~bits;
        }
    }

    // Pairs come in order, so only the last word can be the same.
    private static void Set(List<(int Word, ulong Bits)> list, int pair)
    {
        var (word, bit) = (pair >> 6, 1UL << (pair & 63));
        if (list.Count > 0 && list[^1].Word == word)
        {
            list[^1] = (word, list[^1].Bits | bit);
        }
        else
        {
            list.Add((word, bit));
        }
    }
}

/// <summary>The pairs that are still possible, and those for which the attribute at hand is as they need it.</summary>
internal readonly ref struct Marks(Span<ulong> left, Span<ulong> held)
{
    internal Span<ulong> Left { get; } = left;

    internal Span<ulong> Held { get; } = held;
}
