// SPDX-License-Identifier: Apache-2.0

namespace Weft.Dialects.Reading;

/// <summary>The words that a field may hold and what each of them means, in the order in which messages list them.</summary>
internal sealed class Choices<T>(params (string Word, T Value)[] words)
    where T : struct
{
    public IEnumerable<string> Words => words.Select(choice => choice.Word);

    public bool TryGet(string word, out T value)
    {
        foreach (var choice in words)
        {
            if (string.Equals(choice.Word, word, StringComparison.Ordinal))
            {
                value = choice.Value;
                return true;
            }
        }

        value = default;
        return false;
    }
}
