// SPDX-License-Identifier: Apache-2.0

using System.Reflection;

namespace Weft.ApiServer.Schema;

/// <summary>What types and fields are for, in one sentence each: what <c>kubectl explain</c> shows.</summary>
public sealed class Descriptions
{
    private static readonly Lazy<Descriptions> _shared = new(Load);

    private readonly Dictionary<string, string> _sentences = new(StringComparer.Ordinal);

    public static Descriptions Default => _shared.Value;

    /// <summary>Every TYPE or TYPE.FIELD that has a sentence.</summary>
    public IReadOnlyCollection<string> Names => _sentences.Keys;

    public string? OfType(string type) => _sentences.GetValueOrDefault(type);

    /// <summary>The sentence of a field: its type's own one, or the one that all types share.</summary>
    public string? OfField(string type, string field) =>
        _sentences.GetValueOrDefault(type + "." + field) ?? _sentences.GetValueOrDefault("*." + field);

    private static Descriptions Load()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("descriptions.txt")
            ?? throw new InvalidOperationException("The assembly lacks its resource 'descriptions.txt'.");
        using var reader = new StreamReader(stream);
        var result = new Descriptions();
        while (reader.ReadLine() is { } line)
        {
            var at = line.IndexOf(": ", StringComparison.Ordinal);
            if (at > 0 && line[0] != '#')
            {
                result._sentences.Add(line[..at], line[(at + 2)..]);
            }
        }

        return result;
    }
}
