// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Reflection;

namespace Weft.ApiServer.Schema;

/// <summary>
/// The object types of every kind: those of the compact tables that are embedded in the assembly, and those of custom resource
/// definitions, which are replaced as a whole while the server runs.
/// </summary>
public sealed class SchemaSet
{
    private static readonly Lazy<SchemaSet> _shared = new(() => Parse(
        ReadEmbedded("kubernetes.schema") + "\n" + ReadEmbedded("istio.schema")));

    private readonly Dictionary<string, ObjectSchema> _types;
    private volatile IReadOnlyDictionary<string, ObjectSchema> _custom = new Dictionary<string, ObjectSchema>();

    private SchemaSet(Dictionary<string, ObjectSchema> types) => _types = types;

    public static SchemaSet Default => _shared.Value;

    public IReadOnlyCollection<ObjectSchema> All => _types.Values;

    /// <summary>A set of the same built-in types that takes custom ones of its own.</summary>
    public SchemaSet ForServer() => new(_types);

    public void SetCustom(IReadOnlyDictionary<string, ObjectSchema> types) => _custom = types;

    public ObjectSchema? Find(string? name) =>
        name is null ? null : _types.GetValueOrDefault(name) ?? _custom.GetValueOrDefault(name);

    public ObjectSchema Get(string name) =>
        Find(name) ?? throw new KeyNotFoundException($"The schema has no type '{name}'.");

    public static SchemaSet Parse(string text)
    {
        var types = new Dictionary<string, ObjectSchema>(StringComparer.Ordinal);
        Dictionary<string, FieldSchema>? fields = null;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            var line = text.AsSpan()[range].TrimEnd();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (line[0] != ' ')
            {
                fields = new Dictionary<string, FieldSchema>(StringComparer.Ordinal);
                types.Add(line.ToString(), new ObjectSchema(line.ToString(), fields));
                continue;
            }

            var field = ParseField(line[1..].ToString());
            fields!.Add(field.Name, field);
        }

        return new SchemaSet(types);
    }

    private static FieldSchema ParseField(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var required = words[0].EndsWith('!');
        var field = new FieldSchema(required ? words[0][..^1] : words[0], required, ParseType(words[1]))
        {
            Inline = words[0][0] == '~',
        };
        foreach (var word in words.AsSpan(2))
        {
            if (word[0] == '@')
            {
                field = field with { Number = int.Parse(word.AsSpan(1), CultureInfo.InvariantCulture) };
                continue;
            }

            var at = word.IndexOf('=', StringComparison.Ordinal);
            var value = at < 0 ? "" : word[(at + 1)..];
            field = (at < 0 ? word : word[..at]) switch
            {
                "key" => field with { MergeKey = value, ApplyKeys = field.ApplyKeys.Length == 0 ? [value] : field.ApplyKeys },
                "ssa" => field with { ApplyKeys = value.Split(',') },
                "set" => field with { MergesAsSet = true, AppliesAsSet = true },
                "ssa-set" => field with { AppliesAsSet = true },
                "atomic" => field with { Atomic = true },
                "retain" => field with { RetainKeys = true },
                "enum" => field with { Values = value.Split(',') },
                _ => throw new FormatException($"The schema line '{line}' has an unknown attribute '{word}'."),
            };
        }

        return field;
    }

    private static TypeReference ParseType(string text) => text switch
    {
        _ when text.StartsWith("[]", StringComparison.Ordinal) => new TypeReference(ValueKind.List, ParseType(text[2..])),
        _ when text.StartsWith("{}", StringComparison.Ordinal) => new TypeReference(ValueKind.Map, ParseType(text[2..])),
        "any" => new TypeReference(ValueKind.Any),
        _ when text.StartsWith("any:", StringComparison.Ordinal) => new TypeReference(ValueKind.Any, TypeName: text[4..]),
        "string" => new TypeReference(ValueKind.String),
        "int" => new TypeReference(ValueKind.Int),
        "long" => new TypeReference(ValueKind.Long),
        "number" => new TypeReference(ValueKind.Number),
        "bool" => new TypeReference(ValueKind.Bool),
        "quantity" => new TypeReference(ValueKind.Quantity),
        "intstr" => new TypeReference(ValueKind.IntOrString),
        "time" => new TypeReference(ValueKind.Time),
        "microtime" => new TypeReference(ValueKind.MicroTime),
        "bytes" => new TypeReference(ValueKind.Bytes),
        _ => new TypeReference(ValueKind.Object, TypeName: text),
    };

    private static string ReadEmbedded(string name)
    {
        var assembly = Assembly.GetExecutingAssembly();
        using var stream = assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks its resource '{name}'.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
