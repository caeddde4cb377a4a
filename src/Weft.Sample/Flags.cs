// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Sample;

/// <summary>Reads <c>--name value</c>, <c>--name=value</c> and switches; what a flag leaves open comes from the environment.</summary>
internal sealed class Flags
{
    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);
    private readonly Func<string, string?> _environment;

    private Flags(Func<string, string?> environment) => _environment = environment;

    public List<string> Rest { get; } = [];

    /// <param name="args">The words after the verb.</param>
    /// <param name="valued">Names that take a value, e.g. <c>--port</c>.</param>
    /// <param name="switches">Names that do not.</param>
    /// <param name="environment">Looks a variable up.</param>
    public static Flags Parse(IEnumerable<string> args, string[] valued, string[] switches, Func<string, string?> environment)
    {
        var flags = new Flags(environment);
        using var words = args.GetEnumerator();
        while (words.MoveNext())
        {
            var word = words.Current;
            if (word.Length < 2 || word[0] != '-')
            {
                flags.Rest.Add(word);
                continue;
            }

            var equals = word.StartsWith("--", StringComparison.Ordinal) ? word.IndexOf('=', StringComparison.Ordinal) : -1;
            var name = equals < 0 ? word : word[..equals];
            if (Array.IndexOf(switches, name) >= 0 && equals < 0)
            {
                flags.Add(name, "true");
            }
            else if (Array.IndexOf(valued, name) < 0)
            {
                throw new UsageException($"Unknown flag '{name}'. 'weft-sample --help' lists them.");
            }
            else if (equals >= 0)
            {
                flags.Add(name, word[(equals + 1)..]);
            }
            else
            {
                flags.Add(name, words.MoveNext() ? words.Current : throw new UsageException($"'{name}' needs a value."));
            }
        }

        return flags;
    }

    public bool Has(string name) => _values.ContainsKey(name);

    public IReadOnlyList<string> All(string name) => _values.TryGetValue(name, out var values) ? values : [];

    public string? Text(string name, params ReadOnlySpan<string> variables)
    {
        if (_values.TryGetValue(name, out var values))
        {
            return values[^1];
        }

        foreach (var variable in variables)
        {
            if (_environment(variable) is { Length: > 0 } found)
            {
                return found;
            }
        }

        return null;
    }

    public int Number(string name, int otherwise, int least, int most, params ReadOnlySpan<string> variables)
    {
        var text = Text(name, variables);
        if (text is null)
        {
            return otherwise;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new UsageException($"'{name} {text}' is not a number from {least} to {most}.");
    }

    public TimeSpan Duration(string name, TimeSpan otherwise, params ReadOnlySpan<string> variables) =>
        Text(name, variables) is { } text ? Durations.Parse(name, text) : otherwise;

    /// <summary>The pairs of every <c>-H 'name: value'</c>.</summary>
    public List<KeyValuePair<string, string>> Headers()
    {
        var headers = new List<KeyValuePair<string, string>>();
        foreach (var line in All("-H"))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw new UsageException($"Header '{line}' has no colon. Write 'name: value'.");
            }

            headers.Add(new(line[..colon].Trim(), line[(colon + 1)..].Trim()));
        }

        return headers;
    }

    private void Add(string name, string value)
    {
        if (!_values.TryGetValue(name, out var values))
        {
            _values[name] = values = [];
        }

        values.Add(value);
    }
}
