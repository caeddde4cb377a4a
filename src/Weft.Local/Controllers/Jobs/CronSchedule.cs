// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Local.Controllers.Jobs;

/// <summary>A schedule of five fields (<c>*/5 9-17 * * mon-fri</c>), a word (<c>@hourly</c>) or a period (<c>@every 90m</c>).</summary>
internal sealed class CronSchedule
{
    /// <summary>A schedule that never comes (30 February) is given up after this; 29 February comes within eight years.</summary>
    private const int MaxDays = 366 * 9;

    private static readonly Dictionary<string, string> _words = new(StringComparer.Ordinal)
    {
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
        ["@monthly"] = "0 0 1 * *",
        ["@weekly"] = "0 0 * * 0",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@hourly"] = "0 * * * *",
    };

    private static readonly string[] _months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] _days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private readonly TimeZoneInfo _zone;
    private ulong _minutes, _hours, _monthDays, _monthNumbers, _weekDays;
    private bool _anyMonthDay, _anyWeekDay;
    private TimeSpan? _period;

    private CronSchedule(TimeZoneInfo zone) => _zone = zone;

    /// <summary>Throws <see cref="FormatException"/> with what is wrong.</summary>
    public static CronSchedule Parse(string text, TimeZoneInfo zone)
    {
        var schedule = new CronSchedule(zone);
        var plain = text.Trim();
        if (plain.StartsWith("@every ", StringComparison.Ordinal))
        {
            schedule._period = ParsePeriod(plain[7..].Trim());
            return schedule;
        }

        if (plain.StartsWith('@') && !_words.TryGetValue(plain, out plain!))
        {
            throw new FormatException($"unrecognized descriptor: {text}");
        }

        var fields = plain.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5)
        {
            throw new FormatException($"expected exactly 5 fields, found {fields.Length}: [{string.Join(' ', fields)}]");
        }

        schedule._minutes = Bits(fields[0], 0, 59, []);
        schedule._hours = Bits(fields[1], 0, 23, []);
        schedule._monthDays = Bits(fields[2], 1, 31, []);
        schedule._monthNumbers = Bits(fields[3], 1, 12, _months);
        schedule._weekDays = Bits(fields[4], 0, 6, _days);
        schedule._anyMonthDay = fields[2][0] is '*' or '?';
        schedule._anyWeekDay = fields[4][0] is '*' or '?';
        return schedule;
    }

    /// <summary>The first time after this one; null if there is none.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        if (_period is { } period)
        {
            return new DateTimeOffset(after.Ticks - after.Ticks % TimeSpan.TicksPerSecond, after.Offset) + period;
        }

        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(after, _zone).DateTime);
        for (var i = 0; i < MaxDays; i++, day = day.AddDays(1))
        {
            if (Matches(day) && NextOn(day, after) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private bool Matches(DateOnly day)
    {
        if (!Has(_monthNumbers, day.Month))
        {
            return false;
        }

        var byMonth = Has(_monthDays, day.Day);
        var byWeek = Has(_weekDays, (int)day.DayOfWeek);
        // When both are restricted, either is enough.
        return _anyMonthDay || _anyWeekDay ? byMonth && byWeek : byMonth || byWeek;
    }

    private DateTimeOffset? NextOn(DateOnly day, DateTimeOffset after)
    {
        DateTimeOffset? best = null;
        for (var hour = 0; hour < 24; hour++)
        {
            for (var minute = 0; Has(_hours, hour) && minute < 60; minute++)
            {
                foreach (var at in Has(_minutes, minute) ? Times(day.ToDateTime(new TimeOnly(hour, minute))) : [])
                {
                    best = at > after && (best is null || at < best) ? at : best;
                }
            }

            // Clocks are put back by an hour or less, so what comes two hours later is not earlier.
            if (best is { } found && TimeZoneInfo.ConvertTime(found, _zone).Hour < hour - 1)
            {
                break;
            }
        }

        return best;
    }

    /// <summary>When clocks show this: never in the hour that is left out in spring, twice in the one that is repeated in autumn.</summary>
    private IEnumerable<DateTimeOffset> Times(DateTime local)
    {
        if (_zone.IsInvalidTime(local))
        {
            return [];
        }

        return _zone.IsAmbiguousTime(local)
            ? _zone.GetAmbiguousTimeOffsets(local).Select(offset => new DateTimeOffset(local, offset).ToUniversalTime())
            : [new DateTimeOffset(local, _zone.GetUtcOffset(local)).ToUniversalTime()];
    }

    private static bool Has(ulong bits, int number) => (bits & (1UL << number)) != 0;

    private static ulong Bits(string field, int least, int most, string[] names)
    {
        var bits = 0UL;
        foreach (var part in field.Split(','))
        {
            var (range, step) = part.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
                ? (part[..slash], Number(part[(slash + 1)..], []))
                : (part, 1);
            int from, to;
            if (range is "*" or "?")
            {
                (from, to) = (least, most);
            }
            else if (range.IndexOf('-', StringComparison.Ordinal) is > 0 and var dash)
            {
                (from, to) = (Number(range[..dash], names, least), Number(range[(dash + 1)..], names, least));
            }
            else
            {
                from = Number(range, names, least);
                // 5/15 means from 5 on.
                to = part.Contains('/', StringComparison.Ordinal) ? most : from;
            }

            Check(part, (from, to, step), least, most);
            for (var number = from; number <= to; number += step)
            {
                bits |= 1UL << number;
            }
        }

        return bits;
    }

    private static void Check(string part, (int From, int To, int Step) range, int least, int most)
    {
        if (range.From < least)
        {
            throw new FormatException($"beginning of range ({range.From}) below minimum ({least}): {part}");
        }

        if (range.To > most)
        {
            throw new FormatException($"end of range ({range.To}) above maximum ({most}): {part}");
        }

        if (range.From > range.To)
        {
            throw new FormatException($"beginning of range ({range.From}) beyond end of range ({range.To}): {part}");
        }

        if (range.Step == 0)
        {
            throw new FormatException($"step of range should be a positive number: {part}");
        }
    }

    private static int Number(string text, string[] names, int first = 0)
    {
        var place = Array.IndexOf(names, text.ToLowerInvariant());
        if (place >= 0)
        {
            return place + first;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"failed to parse int from {text}: invalid syntax");
    }

    private static TimeSpan ParsePeriod(string text)
    {
        var total = TimeSpan.Zero;
        var rest = text.AsSpan();
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            var (unit, length) = digits <= 0 ? (TimeSpan.Zero, 0) : rest[digits..] switch
            {
                ['m', 's', ..] => (TimeSpan.FromMilliseconds(1), 2),
                ['h', ..] => (TimeSpan.FromHours(1), 1),
                ['m', ..] => (TimeSpan.FromMinutes(1), 1),
                ['s', ..] => (TimeSpan.FromSeconds(1), 1),
                _ => (TimeSpan.Zero, 0),
            };
            if (length == 0 || !int.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            {
                throw new FormatException($"failed to parse duration @every {text}");
            }

            total += unit * count;
            rest = rest[(digits + length)..];
        }

        // As the field's library does: no shorter than a second.
        return total < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(Math.Floor(total.TotalSeconds));
    }
}
