// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Bench;

/// <summary>What is measured, for how long, with which programs.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        usage: bench/run [all | ROW ...] [options]

          rows           {0}
          all            every row but compare-io; without --quick its results become docs/benchmarks/latest
          --quick        fewer and shorter rounds: to see that everything runs, not to be quoted
          --rounds N     measured rounds of each case, after one that warms (5)
          --seconds S    of load in each round (2)
          --out FOLDER   where results.json, README.md and the charts go (artifacts/bench)
          --haproxy P --nginx P --envoy P   newer binaries; envoy is left out unless it is named
                         (WEFT_BENCH_HAPROXY, WEFT_BENCH_NGINX, WEFT_BENCH_ENVOY say the same)

        """;

    /// <summary>Names of the rows to measure, in the suite's order.</summary>
    public IReadOnlyList<string> Rows { get; init; } = [];

    public bool All { get; init; }

    public bool Quick { get; init; }

    public int Rounds { get; init; } = 5;

    public int Seconds { get; init; } = 2;

    public string? Out { get; init; }

    public string Haproxy { get; init; } = "haproxy";

    public string Nginx { get; init; } = "nginx";

    /// <summary>Null leaves envoy out.</summary>
    public string? Envoy { get; init; }

    /// <summary>Throws <see cref="BenchException"/> that names the argument which is not understood.</summary>
    public static BenchOptions Parse(IReadOnlyList<string> arguments, IReadOnlyList<string> rows, Func<string, string?> environment)
    {
        var words = new Queue<string>(arguments);
        var named = new List<string>();
        var options = new BenchOptions
        {
            Haproxy = environment("WEFT_BENCH_HAPROXY") ?? "haproxy",
            Nginx = environment("WEFT_BENCH_NGINX") ?? "nginx",
            Envoy = environment("WEFT_BENCH_ENVOY"),
        };
        int? rounds = null;
        int? seconds = null;
        while (words.TryDequeue(out var word))
        {
            switch (word)
            {
                case "all": options = options with { All = true }; break;
                case "--quick": options = options with { Quick = true }; break;
                case "--rounds": rounds = Number(word, words); break;
                case "--seconds": seconds = Number(word, words); break;
                case "--out": options = options with { Out = Value(word, words) }; break;
                case "--haproxy": options = options with { Haproxy = Value(word, words) }; break;
                case "--nginx": options = options with { Nginx = Value(word, words) }; break;
                case "--envoy": options = options with { Envoy = Value(word, words) }; break;
                case var row when rows.Contains(row): named.Add(row); break;
                default: throw new BenchException($"'{word}' is neither a row nor an option.");
            }
        }

        return options with
        {
            Rows = [.. rows.Where(row => named.Contains(row) || (options.All && row != Suite.CompareIo))],
            Rounds = rounds ?? (options.Quick ? 1 : 5),
            Seconds = seconds ?? (options.Quick ? 1 : 2),
        };
    }

    private static string Value(string option, Queue<string> words) =>
        words.TryDequeue(out var value) ? value : throw new BenchException($"'{option}' needs a value.");

    private static int Number(string option, Queue<string> words) =>
        int.TryParse(Value(option, words), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 1000
            ? number
            : throw new BenchException($"'{option}' needs a number from 1 to 1000.");
}
