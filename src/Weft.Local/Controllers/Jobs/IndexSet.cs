// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Local.Controllers.Jobs;

/// <summary>Numbers written as ranges: <c>0-2,5</c>.</summary>
internal static class IndexSet
{
    /// <summary>Numbers below the limit only: a Job has no others.</summary>
    public static SortedSet<long> Parse(string? text, long below)
    {
        var numbers = new SortedSet<long>();
        foreach (var range in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var dash = range.IndexOf('-', StringComparison.Ordinal);
            var first = dash < 0 ? range : range[..dash];
            var last = dash < 0 ? range : range[(dash + 1)..];
            if (long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from)
                && long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var to))
            {
                for (var number = from; number <= to && number < below; number++)
                {
                    numbers.Add(number);
                }
            }
        }

        return numbers;
    }

    public static string Format(SortedSet<long> numbers)
    {
        var text = new StringBuilder();
        long? start = null, end = null;
        foreach (var number in numbers)
        {
            if (number != end + 1)
            {
                Append();
                start = number;
            }

            end = number;
        }

        Append();
        return text.ToString();

        void Append()
        {
            if (start is { } first && end is { } last)
            {
                text.Append(text.Length > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"{first}");
                text.Append(last > first ? string.Create(CultureInfo.InvariantCulture, $"{(last == first + 1 ? "," : "-")}{last}") : "");
            }
        }
    }
}
