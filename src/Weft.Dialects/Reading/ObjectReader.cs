// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using Weft.Dialects.Yaml;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects.Reading;

/// <summary>
/// Reads the fields of one object by name and type. Remembers which names were asked for, so that <c>Finish</c> can report
/// the others. A field that is null counts as absent, as in Kubernetes.
/// </summary>
internal sealed class ObjectReader(Findings findings, string path, YamlMapping mapping)
{
    private static readonly SearchValues<char> _delimiters = SearchValues.Create(" ./[]\"");
    private readonly List<string> _known = [];

    public Findings Findings { get; } = findings;

    public string Path { get; } = path;

    public YamlMapping Mapping { get; } = mapping;

    /// <summary>The object as a whole.</summary>
    public Place Place => new(Path, Mapping.Position);

    /// <summary>How messages call the object.</summary>
    public string Title =>
        Path.Length > 0 ? $"'{Path}'" : Findings.Origin.Kind.Length > 0 ? Findings.Origin.Kind : "the object";

    public static string Join(string path, string key) =>
        key.AsSpan().ContainsAny(_delimiters) ? $"{path}[\"{key}\"]" : path.Length == 0 ? key : $"{path}.{key}";

    public Field? Find(string name)
    {
        if (!_known.Contains(name))
        {
            _known.Add(name);
        }

        return Mapping.TryGet(name, out var entry) && entry.Value is not YamlScalar { Kind: ScalarKind.Null }
            ? new Field(Findings, Join(Path, name), entry.KeyPosition, entry.Value)
            : null;
    }

    public bool Has(string name) => Find(name) is not null;

    public Field? Required(string name)
    {
        if (Find(name) is { } field)
        {
            return field;
        }

        Findings.Add(ReadingMessages.MissingField, Place with { Path = Join(Path, name) }, name, Title);
        return null;
    }

    public string? Text(string name) => Find(name)?.AsText();

    /// <summary>A text that must be there and not be empty.</summary>
    public string? RequiredText(string name) => Required(name) is { } field ? NotEmpty(field) : null;

    /// <summary>A text that may be absent but not empty.</summary>
    public string? NonEmptyText(string name) => Find(name) is { } field ? NotEmpty(field) : null;

    public bool? Boolean(string name) => Find(name)?.AsBoolean();

    public int? Integer(string name, int minimum, int maximum) => Find(name)?.AsInteger(minimum, maximum);

    public double? Number(string name, double minimum, double maximum) => Find(name)?.AsNumber(minimum, maximum);

    public int? DurationMs(string name, int minimumMs = 1) => Find(name)?.AsDurationMs(minimumMs);

    public T? Choice<T>(string name, Choices<T> choices)
        where T : struct => Find(name)?.AsChoice(choices);

    /// <summary>One of the words, in capitals or small letters; null for what is absent, and for what is none of them, which is reported.</summary>
    public T? AnyCaseChoice<T>(string name, Choices<T> choices, bool isRequired = true)
        where T : struct
    {
        if ((isRequired ? RequiredText(name) : NonEmptyText(name)) is not { } written)
        {
            return null;
        }

        if (choices.TryGet(written.ToUpperInvariant(), out var value))
        {
            return value;
        }

        Find(name)!.Value.Report(ReadingMessages.UnknownValue, written, $"{Path}.{name}", string.Join(", ", choices.Words));
        return null;
    }

    public ObjectReader? Child(string name) => Find(name)?.AsObject();

    public IReadOnlyList<Field> List(string name) => Find(name)?.AsList() ?? [];

    public IReadOnlyList<ObjectReader> Children(string name) =>
        [.. List(name).Select(item => item.AsObject()).OfType<ObjectReader>()];

    /// <summary>The texts of a list with their places.</summary>
    public IReadOnlyList<KeyValuePair<string, Field>> Texts(string name) =>
        [.. List(name).Select(item => KeyValuePair.Create(item.AsText()!, item)).Where(pair => pair.Key is not null)];

    /// <summary>A mapping from texts to texts with the places of its values.</summary>
    public IReadOnlyList<KeyValuePair<string, Field>> Map(string name) => Find(name)?.AsMap() ?? [];

    /// <summary>
    /// Labels as they are written, in the order of their keys, so that equal sets are equal arrays. A value that is null is empty.
    /// </summary>
    public EquatableArray<Label> Labels(string name) =>
        Map(name)
            .Select(pair => new Label(pair.Key, pair.Value.Value is YamlScalar { Kind: ScalarKind.Null } ? "" : pair.Value.AsText() ?? ""))
            .OrderBy(label => label.Key, StringComparer.Ordinal)
            .ToEquatableArray();

    /// <summary>Names that exist and that this reader has no use for.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            Find(name);
        }
    }

    /// <summary>Names that exist upstream and do nothing here yet; using one is a warning.</summary>
    public void NotSupported(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Find(name) is { } field)
            {
                Findings.Add(ReadingMessages.FieldNotSupported, field.KeyPlace, field.Path);
            }
        }
    }

    /// <summary>At most one of the names may be used.</summary>
    public void Exclusive(params ReadOnlySpan<string> names)
    {
        string? first = null;
        foreach (var name in names)
        {
            if (Find(name) is not { } field)
            {
                continue;
            }

            if (first is not null)
            {
                Findings.Add(ReadingMessages.ConflictingFields, field.KeyPlace, first, name, Title);
            }

            first ??= name;
        }
    }

    /// <summary>Reports every field that was never asked for.</summary>
    public void Finish() => Finish(ReadingMessages.UnknownField);

    public void Finish(DiagnosticMessage message)
    {
        foreach (var entry in Mapping.Entries)
        {
            if (_known.Contains(entry.Key))
            {
                continue;
            }

            var place = new Place(Join(Path, entry.Key), entry.KeyPosition);
            if (NearestName.Of(entry.Key, _known) is { } nearest)
            {
                Findings.AddWithCure($"Did you mean '{nearest}'?", message, place, entry.Key, Title);
            }
            else
            {
                Findings.Add(message, place, entry.Key, Title);
            }
        }
    }

    private static string? NotEmpty(Field field)
    {
        if (field.AsText() is not { } text)
        {
            return null;
        }

        if (text.Length > 0)
        {
            return text;
        }

        field.Report(ReadingMessages.EmptyText, field.Path);
        return null;
    }
}
