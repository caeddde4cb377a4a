// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Weft.Testing;

/// <summary>
/// Feeds a parser with its corpus and then with mutations of it, repeatably from a seed, until it throws or the bound is reached.
/// WEFT_FUZZ_SEED, WEFT_FUZZ_ITERATIONS and WEFT_FUZZ_SECONDS override what a test asks for; a line for each run goes to the file
/// that WEFT_FUZZ_LOG names.
/// </summary>
/// <param name="corpus">Inputs to start from; at least one.</param>
/// <param name="words">Pieces of the format that mutations insert.</param>
/// <param name="maxLength">Longest input that is made.</param>
public sealed class FuzzDriver(IReadOnlyList<byte[]> corpus, IReadOnlyList<string> words, int maxLength = 4096)
{
    private readonly byte[][] _words = [.. words.Select(Encoding.UTF8.GetBytes)];

    /// <summary>Every file below a folder of the repository, in the order of the names.</summary>
    public static IReadOnlyList<byte[]> ReadCorpus(params ReadOnlySpan<string> folder) =>
    [
        .. Directory.GetFiles(RepositoryRoot.File(folder), "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(File.ReadAllBytes),
    ];

    /// <summary>Runs the target on the corpus and on mutations; null if it stood all of them, else the smallest input that it did not.</summary>
    public FuzzFind? Run(Action<byte[]> target, int seed, int iterations, TimeProvider clock, [CallerMemberName] string name = "")
    {
        seed = Setting("WEFT_FUZZ_SEED") ?? seed;
        iterations = Setting("WEFT_FUZZ_ITERATIONS") ?? iterations;
        var seconds = Setting("WEFT_FUZZ_SECONDS");
        var start = clock.GetTimestamp();
        var random = new Random(seed);
        foreach (var input in corpus)
        {
            if (Try(target, input) is { } problem)
            {
                return Shrink(target, input, problem, seed, -1);
            }
        }

        var tried = 0;
        for (; seconds is null ? tried < iterations : clock.GetElapsedTime(start).TotalSeconds < seconds; tried++)
        {
            var input = Mutate(random);
            if (Try(target, input) is { } problem)
            {
                Log($"{name}: found one after {tried} mutations of {corpus.Count} inputs, seed {seed}");
                return Shrink(target, input, problem, seed, tried);
            }
        }

        Log($"{name}: stood {tried} mutations of {corpus.Count} inputs in {clock.GetElapsedTime(start).TotalSeconds:0} s, seed {seed}");
        return null;
    }

    private static void Log(FormattableString line)
    {
        if (Environment.GetEnvironmentVariable("WEFT_FUZZ_LOG") is { Length: > 0 } path)
        {
            File.AppendAllText(path, line.ToString(CultureInfo.InvariantCulture) + "\n");
        }
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;

    private static Exception? Try(Action<byte[]> target, byte[] input)
    {
        try
        {
            target(input);
            return null;
        }
        catch (Exception problem)
        {
            return problem;
        }
    }

    /// <summary>Cuts pieces off as long as the input goes on failing in the same way.</summary>
    private static FuzzFind Shrink(Action<byte[]> target, byte[] input, Exception problem, int seed, int iteration)
    {
        for (var size = input.Length / 2; size > 0; size /= 2)
        {
            for (var at = 0; at + size <= input.Length;)
            {
                byte[] shorter = [.. input[..at], .. input[(at + size)..]];
                if (Try(target, shorter) is { } same && same.GetType() == problem.GetType())
                {
                    (input, problem) = (shorter, same);
                }
                else
                {
                    at += size;
                }
            }
        }

        return new FuzzFind(input, problem, seed, iteration);
    }

    private byte[] Mutate(Random random)
    {
        var bytes = new List<byte>(corpus[random.Next(corpus.Count)]);
        for (var left = 1 + random.Next(8); left > 0; left--)
        {
            Change(bytes, random);
        }

        return bytes.Count <= maxLength ? [.. bytes] : [.. bytes.Take(maxLength)];
    }

    private void Change(List<byte> bytes, Random random)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(random.Next(1, 17), bytes.Count - at);
        switch (random.Next(7))
        {
            case 0 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                // A piece that stands twice, near or far.
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                break;
            case 4:
                // Half of another input.
                var other = corpus[random.Next(corpus.Count)];
                var from = random.Next(other.Length + 1);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + random.Next(64))]);
                break;
            case 5:
                for (var times = random.Next(1, 70); times > 0 && _words.Length > 0; times--)
                {
                    bytes.InsertRange(at, _words[at % _words.Length]);
                }

                break;
            default:
                bytes.InsertRange(at, _words.Length > 0 ? _words[random.Next(_words.Length)] : [(byte)random.Next(256)]);
                break;
        }
    }
}

/// <summary>An input that a target did not stand, and how to see it again.</summary>
public sealed record FuzzFind(byte[] Input, Exception Problem, int Seed, int Iteration)
{
    public override string ToString() =>
        $"seed {Seed}, iteration {Iteration}: {Problem.GetType().Name}: {Problem.Message}\n"
        + $"base64: {Convert.ToBase64String(Input)}\ntext: {Encoding.UTF8.GetString(Input)}\n{Problem.StackTrace}";
}
