// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Reading;

/// <summary>A value of an object with its path; what all typed reading starts from.</summary>
internal readonly record struct Field(Findings Findings, string Path, Position KeyPosition, YamlNode Value)
{
    /// <summary>Where the value stands.</summary>
    public Place Place => new(Path, Value.Position);

    /// <summary>Where the key stands.</summary>
    public Place KeyPlace => new(Path, KeyPosition);

    public void Report(DiagnosticMessage message, params ReadOnlySpan<string> arguments) =>
        Findings.Add(message, Place, arguments);

    /// <summary>The value as an object, or null and a finding.</summary>
    public ObjectReader? AsObject()
    {
        if (Value is YamlMapping mapping)
        {
            return new ObjectReader(Findings, Path, mapping);
        }

        WrongType("an object");
        return null;
    }

    /// <summary>The values of a list, or none and a finding.</summary>
    public IReadOnlyList<Field> AsList()
    {
        if (Value is not YamlSequence sequence)
        {
            WrongType("a list");
            return [];
        }

        var (findings, path) = (Findings, Path);
        return [.. sequence.Items.Select((item, i) => new Field(findings, $"{path}[{i}]", item.Position, item))];
    }

    /// <summary>The entries of a mapping whose keys are the operator's own, or none and a finding.</summary>
    public IReadOnlyList<KeyValuePair<string, Field>> AsMap()
    {
        if (Value is not YamlMapping mapping)
        {
            WrongType("an object");
            return [];
        }

        var (findings, path) = (Findings, Path);
        return
        [
            .. mapping.Entries.Select(entry => KeyValuePair.Create(
                entry.Key,
                new Field(findings, ObjectReader.Join(path, entry.Key), entry.KeyPosition, entry.Value))),
        ];
    }

    public string? AsText()
    {
        if (Value is YamlScalar { Kind: ScalarKind.Text } scalar)
        {
            return scalar.Value;
        }

        if (Value is YamlScalar { Kind: not ScalarKind.Null, Source: var source } && source.Length < DiagnosticMessage.MaxArgumentLength)
        {
            Findings.AddWithCure($"Quote it: \"{source}\".", ReadingMessages.WrongType, Place, Path, "a text", Value.Description);
        }
        else
        {
            WrongType("a text");
        }

        return null;
    }

    public bool? AsBoolean()
    {
        if (Value is YamlScalar { Kind: ScalarKind.Boolean } scalar)
        {
            return string.Equals(scalar.Value, "true", StringComparison.Ordinal);
        }

        WrongType("a boolean");
        return null;
    }

    public int? AsInteger(int minimum, int maximum)
    {
        if (Value is not YamlScalar { Kind: ScalarKind.Whole } scalar)
        {
            WrongType("an integer");
            return null;
        }

        if (int.TryParse(scalar.Value, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
        {
            return number;
        }

        Report(ReadingMessages.OutOfRange, Path, scalar.Value, YamlReader.Number(minimum), YamlReader.Number(maximum));
        return null;
    }

    /// <summary>A number that may have decimals.</summary>
    public double? AsNumber(double minimum, double maximum)
    {
        if (Value is not YamlScalar { Kind: ScalarKind.Whole or ScalarKind.Real } scalar)
        {
            WrongType("a number");
            return null;
        }

        if (double.TryParse(scalar.Value, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
        {
            return number;
        }

        Report(
            ReadingMessages.OutOfRange,
            Path,
            scalar.Source,
            minimum.ToString(CultureInfo.InvariantCulture),
            maximum.ToString(CultureInfo.InvariantCulture));
        return null;
    }

    public int? AsDurationMs(int minimumMs)
    {
        // A bare number is a duration without a unit rather than a text without quotes.
        var text = Value is YamlScalar { Kind: ScalarKind.Whole or ScalarKind.Real, Source: var number } ? number : AsText();
        if (text is null)
        {
            return null;
        }

        if (Durations.TryParse(text, minimumMs, out var milliseconds, out var reason))
        {
            return milliseconds;
        }

        Report(ReadingMessages.BadDuration, text, Path, reason);
        return null;
    }

    /// <summary>One of a fixed set of words.</summary>
    public T? AsChoice<T>(Choices<T> choices)
        where T : struct
    {
        if (AsText() is not { } text)
        {
            return null;
        }

        if (choices.TryGet(text, out var value))
        {
            return value;
        }

        if (NearestName.Of(text, choices.Words) is { } nearest)
        {
            Findings.AddWithCure($"Did you mean '{nearest}'?", ReadingMessages.UnknownValue, Place, text, Path, "");
        }
        else
        {
            Report(ReadingMessages.UnknownValue, text, Path, string.Join(", ", choices.Words));
        }

        return null;
    }

    private void WrongType(string expected) =>
        Report(ReadingMessages.WrongType, Path.Length == 0 ? "the object" : Path, expected, Value.Description);
}
