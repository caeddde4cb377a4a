// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.ApiServer.Validation;

/// <summary>Schedules of cron jobs: five fields, or a word such as <c>@daily</c>.</summary>
internal static class CronText
{
    private static readonly string[] _words = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

    private static readonly (int Least, int Most, string[] Names)[] _fields =
    [
        (0, 59, []), (0, 23, []), (1, 31, []),
        (1, 12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        (0, 6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ];

    /// <summary>What is wrong with the schedule; null when it can be followed.</summary>
    public static string? Problem(string schedule)
    {
        if (schedule.Contains("TZ", StringComparison.Ordinal))
        {
            return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        }

        if (schedule.StartsWith('@'))
        {
            return _words.Contains(schedule, StringComparer.Ordinal) || schedule.StartsWith("@every ", StringComparison.Ordinal)
                ? null
                : "unrecognized descriptor: " + schedule;
        }

        var parts = schedule.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != _fields.Length)
        {
            return $"expected exactly 5 fields, found {parts.Length}: [{string.Join(' ', parts)}]";
        }

        return parts.Select((part, i) => part.Split(',').Select(item => FieldProblem(item, i)).FirstOrDefault(found => found is not null))
            .FirstOrDefault(found => found is not null);
    }

    private static string? FieldProblem(string item, int index)
    {
        var (least, most, names) = _fields[index];
        var steps = item.Split('/');
        if (steps.Length > 2)
        {
            return "too many slashes: " + item;
        }

        if (steps.Length == 2 && !(int.TryParse(steps[1], CultureInfo.InvariantCulture, out var step) && step > 0))
        {
            return $"failed to parse int from {steps[1]}: strconv.Atoi: parsing \"{steps[1]}\": invalid syntax";
        }

        var ends = steps[0].Split('-');
        if (ends.Length > 2)
        {
            return "too many hyphens: " + item;
        }

        if (steps[0] is "*" or "?")
        {
            return null;
        }

        var values = new List<int>();
        foreach (var end in ends)
        {
            var named = Array.IndexOf(names, end.ToLowerInvariant());
            if (named < 0 && !int.TryParse(end, CultureInfo.InvariantCulture, out named))
            {
                return $"failed to parse int from {end}: strconv.Atoi: parsing \"{end}\": invalid syntax";
            }

            values.Add(Array.IndexOf(names, end.ToLowerInvariant()) is >= 0 and var place ? place + least : named);
        }

        return values[0] < least ? $"beginning of range ({values[0]}) below minimum ({least}): {item}"
            : values[^1] > most ? $"end of range ({values[^1]}) above maximum ({most}): {item}"
            : values[0] > values[^1] ? $"beginning of range ({values[0]}) beyond end of range ({values[^1]}): {item}"
            : null;
    }
}
