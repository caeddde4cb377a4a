// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Reading;

/// <summary>Collects everything that is wrong with one object; reading goes on after each finding.</summary>
internal sealed class Findings(Origin origin)
{
    /// <summary>More than this of one object is noise; the last one says that there are more.</summary>
    public const int MaxFindings = 200;

    private readonly List<Diagnostic> _found = [];

    public Origin Origin { get; set; } = origin;

    public IReadOnlyList<Diagnostic> Found => _found;

    public bool HasErrors => _found.Exists(diagnostic => diagnostic.Severity == Severity.Error);

    public void Add(DiagnosticMessage message, Place place, params ReadOnlySpan<string> arguments) =>
        Add(message.At(Origin.At(place.Path, place.Position), arguments));

    /// <summary>Adds a finding whose cure is known better than the message's general one.</summary>
    public void AddWithCure(string cure, DiagnosticMessage message, Place place, params ReadOnlySpan<string> arguments) =>
        Add(message.At(Origin.At(place.Path, place.Position), arguments) with { Cure = cure });

    public void Add(Diagnostic diagnostic)
    {
        // A field that two readers look at is reported once.
        if (_found.Contains(diagnostic))
        {
            return;
        }

        if (_found.Count < MaxFindings)
        {
            _found.Add(diagnostic);
        }
        else if (_found.Count == MaxFindings)
        {
            _found.Add(ReadingMessages.TooManyFindings.At(diagnostic.Origin, Yaml.YamlReader.Number(MaxFindings)));
        }
    }

    /// <summary>Where in this object something was decided.</summary>
    public Origin At(Place place) => Origin.At(place.Path, place.Position);
}
