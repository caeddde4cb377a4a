// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Dialects;
using Weft.Dialects.Yaml;
using Weft.Kubernetes;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Control.Analysis;

/// <summary>An object as it was read, for what is looked at beyond its meaning.</summary>
public sealed class AnalysisSubject(ParsedObject parsed)
{
    private const string SuppressAnnotation = "galley.istio.io/analyze-suppress";

    public ParsedObject Parsed { get; } = parsed;

    public JsonObject Json { get; } = parsed.ToJson() ?? [];

    public string Kind => Parsed.Origin.Kind;

    public string Namespace => Parsed.Origin.Namespace;

    public string Name => Parsed.Origin.Name;

    /// <summary>It comes from an API server and not from a file.</summary>
    public bool IsLive => Json["metadata"]?["uid"] is not null;

    /// <summary>It stands for what a controller would make of its template: what is wrong with it is said of the template.</summary>
    public bool IsDrawn => !IsLive && Parsed.Origin.Position.Line == 0;

    /// <summary>Codes that the object itself does not want to hear of; <c>*</c> for all.</summary>
    public IEnumerable<string> Suppressed =>
        (Json.Annotation(SuppressAnnotation) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Where the labels of its pods stand: in a template, or in the object itself.</summary>
    public JsonObject? PodTemplate => Kind switch
    {
        "Pod" => Json,
        _ => Json.Find("spec", "template") as JsonObject,
    };

    /// <summary>A place in the object: as far along the path as it goes.</summary>
    public Origin At(params ReadOnlySpan<string> path)
    {
        var node = Parsed.Root;
        var (position, text) = (Parsed.Origin.Position, "");
        foreach (var step in path)
        {
            if (node is YamlMapping map && map.TryGet(step, out var entry))
            {
                (node, position) = (entry.Value, entry.KeyPosition);
                text = text.Length == 0 ? step : step.AsSpan().ContainsAny('.', '/') ? $"{text}['{step}']" : $"{text}.{step}";
            }
            else if (node is YamlSequence list && int.TryParse(step, CultureInfo.InvariantCulture, out var index) && index < list.Items.Count)
            {
                (node, position, text) = (list.Items[index], list.Items[index].Position, $"{text}[{step}]");
            }
        }

        return Parsed.Origin.At(text, position);
    }

    public bool Selects(LabelSelector selector) => selector.Selects([.. (PodTemplate ?? []).Labels().Select(l => new Label(l.Key, l.Value))]);
}
