// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Figures;
using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>One row of the design's table of numbers: starts what it compares, measures it in turns, stops it.</summary>
internal abstract class Row
{
    /// <summary>As it is asked for on the command line.</summary>
    public abstract string Name { get; }

    public abstract RowResult Run(Lab lab);
}

/// <summary>One value of one measure, of one round.</summary>
internal readonly record struct Sample(Measure Measure, double Value);

/// <summary>Rounds over all topologies in turn: what disturbs the machine disturbs all alike.</summary>
internal static class Interleaved
{
    /// <summary>A round that warms caches, pools and the frequency governor and is thrown away, then the measured ones.</summary>
    public static List<Figure> Measure(
        Lab lab, string @case, IReadOnlyList<Topology> topologies, Func<Topology, int, IReadOnlyList<Sample>> once, int? rounds = null)
    {
        var count = rounds ?? lab.Options.Rounds;
        var measured = new Dictionary<(string Topology, Measure Measure), List<double>>();
        var left = topologies.ToList();
        for (var round = 0; round <= count; round++)
        {
            foreach (var topology in left.ToArray())
            {
                Progress.Say($"{@case}: {topology.Name}, {(round == 0 ? "warming" : $"round {round} of {count}")}");
                try
                {
                    var samples = once(topology.WhenListening(), round == 0 ? 1 : lab.Options.Seconds);
                    foreach (var sample in round == 0 ? [] : samples)
                    {
                        Of(measured, (topology.Name, sample.Measure)).Add(sample.Value);
                    }
                }
                catch (BenchException failure)
                {
                    // The others go on; figures of one that fails now and then would not be worth showing.
                    lab.Problems.Add($"{topology.Name}, {@case}: {failure.Message}");
                    left.Remove(topology);
                    foreach (var key in measured.Keys.Where(key => key.Topology == topology.Name).ToArray())
                    {
                        measured.Remove(key);
                    }
                }
            }
        }

        Progress.Clear();
        return [.. measured.Select(entry => new Figure(@case, entry.Key.Topology, entry.Key.Measure, entry.Value))];
    }

    private static List<double> Of(Dictionary<(string Topology, Measure Measure), List<double>> measured, (string Topology, Measure Measure) key)
    {
        if (!measured.TryGetValue(key, out var values))
        {
            measured[key] = values = [];
        }

        return values;
    }
}

/// <summary>One line on the terminal that says what is being measured; nothing where nobody watches.</summary>
internal static class Progress
{
    public static void Say(string text)
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write($"\r\e[K{text}");
        }
    }

    public static void Clear() => Say("");
}
