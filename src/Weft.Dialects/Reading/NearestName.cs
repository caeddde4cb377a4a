// SPDX-License-Identifier: Apache-2.0

namespace Weft.Dialects.Reading;

/// <summary>Finds the word that somebody most likely meant.</summary>
public static class NearestName
{
    // Words longer than any field name are no misspelled field names, and comparing them would cost time.
    private const int MaxLength = 64;

    /// <summary>The nearest candidate within a third of the word's letters; null if none is near.</summary>
    public static string? Of(string word, IEnumerable<string> candidates)
    {
        if (word.Length is 0 or > MaxLength)
        {
            return null;
        }

        string? nearest = null;
        var best = Math.Max(1, word.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            if (string.Equals(word, candidate, StringComparison.OrdinalIgnoreCase))
            {
                return candidate;
            }

            var distance = Distance(word.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (distance < best)
            {
                (best, nearest) = (distance, candidate);
            }
        }

        return nearest;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that make one word of the other.</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    rows[i, j] = i + j;
                    continue;
                }

                var replaced = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(replaced, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
