// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Sample.Load;

/// <summary>Counts outcomes and times of requests, and says them in one line.</summary>
internal sealed class LoadReport
{
    // 2 % steps from 10 µs: enough for percentiles that people compare, in a few kilobytes.
    private const double FirstMilliseconds = 0.01;
    private const double Step = 1.02;
    private const int Buckets = 1000;

    private readonly Lock _turn = new();
    private readonly SortedDictionary<string, int> _outcomes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _values = new(StringComparer.Ordinal);
    private readonly int[] _times = new int[Buckets];
    private int _count;

    /// <summary>Requests without an answer below 500.</summary>
    public int Failures { get; private set; }

    public void Add(string outcome, string? value, TimeSpan took)
    {
        var bucket = (int)Math.Log(Math.Max(1, took.TotalMilliseconds / FirstMilliseconds), Step);
        lock (_turn)
        {
            _count++;
            Failures += outcome.Length == 3 && outcome[0] is >= '1' and <= '4' ? 0 : 1;
            _outcomes[outcome] = _outcomes.GetValueOrDefault(outcome) + 1;
            if (value is not null)
            {
                _values[value] = _values.GetValueOrDefault(value) + 1;
            }

            _times[Math.Min(bucket, Buckets - 1)]++;
        }
    }

    public void Clear()
    {
        lock (_turn)
        {
            _count = 0;
            Failures = 0;
            _outcomes.Clear();
            _values.Clear();
            Array.Clear(_times);
        }
    }

    /// <summary>For example <c>200 requests  20.0/s  200: 190  503: 10  p50 3.1ms  p99 12.0ms  v1: 180 (90.0%)  v2: 20 (10.0%)</c>.</summary>
    public string Format(TimeSpan within)
    {
        lock (_turn)
        {
            var line = new StringBuilder();
            line.Append(CultureInfo.InvariantCulture, $"{_count} requests  {_count / Math.Max(within.TotalSeconds, 0.001):0.0}/s");
            foreach (var (outcome, count) in _outcomes)
            {
                line.Append(CultureInfo.InvariantCulture, $"  {outcome}: {count}");
            }

            if (_count > 0)
            {
                line.Append(CultureInfo.InvariantCulture, $"  p50 {Percentile(0.5):0.0}ms  p99 {Percentile(0.99):0.0}ms");
            }

            foreach (var (value, count) in _values)
            {
                line.Append(CultureInfo.InvariantCulture, $"  {value}: {count} ({100.0 * count / _count:0.0}%)");
            }

            return line.ToString();
        }
    }

    private double Percentile(double share)
    {
        var wanted = Math.Max(1, (int)Math.Ceiling(_count * share));
        var passed = 0;
        for (var i = 0; i < Buckets; i++)
        {
            passed += _times[i];
            if (passed >= wanted)
            {
                return FirstMilliseconds * Math.Pow(Step, i + 0.5);
            }
        }

        return 0;
    }
}
