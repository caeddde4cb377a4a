// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Yaml;

/// <summary>Makes the same nodes from JSON: from a document of a file with its lines, from bytes, or from an object of the API.</summary>
public static class JsonNodes
{
    /// <summary>Reads the bytes of one JSON object; its nodes have no lines.</summary>
    public static YamlDocument Read(ReadOnlySpan<byte> json, YamlLimits? limits = null)
    {
        limits ??= YamlLimits.Default;
        if (json.Length > limits.MaxBytes)
        {
            return Failed(ReadingMessages.TextTooLarge.At(
                YamlReader.At(Position.None), YamlReader.Number(json.Length), YamlReader.Number(limits.MaxBytes)));
        }

        try
        {
            return new JsonBuilder(json, limits, new PlaceCursor(null, 0)).Build();
        }
        catch (JsonException problem)
        {
            return Failed(ReadingMessages.NotJson.At(YamlReader.At(Position.None), problem.Message));
        }
    }

    /// <summary>Converts an object of the API; one that is nested too deep or holds too much has no root but a diagnostic.</summary>
    public static YamlDocument Convert(JsonObject json, YamlLimits? limits = null)
    {
        limits ??= YamlLimits.Default;
        var nodes = 0;
        Diagnostic? problem = null;
        try
        {
            var root = Convert(json, 0);
            return problem is null ? new YamlDocument(Position.None, root, []) : Failed(problem);
        }
        catch (ArgumentException)
        {
            // An object that was parsed lazily finds a key that it has twice only when it is walked.
            return Failed(ReadingMessages.NotJson.At(YamlReader.At(Position.None), "it names a key twice."));
        }

        YamlNode Convert(JsonNode? node, int depth)
        {
            if (depth > limits.MaxDepth || ++nodes > limits.MaxNodes)
            {
                problem ??= depth > limits.MaxDepth
                    ? ReadingMessages.TooDeep.At(YamlReader.At(Position.None), YamlReader.Number(limits.MaxDepth))
                    : ReadingMessages.TooManyNodes.At(YamlReader.At(Position.None), YamlReader.Number(limits.MaxNodes));
                return ScalarResolver.Plain(Position.None, "");
            }

            return node switch
            {
                JsonObject o => new YamlMapping(
                    Position.None,
                    [.. o.Select(pair => new YamlEntry(pair.Key, Position.None, Convert(pair.Value, depth + 1)))]),
                JsonArray a => new YamlSequence(Position.None, [.. a.Select(item => Convert(item, depth + 1))]),
                JsonValue value => Scalar(value),
                _ => ScalarResolver.Plain(Position.None, ""),
            };
        }
    }

    /// <summary>The JSON that kubectl would send for a node.</summary>
    public static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMapping mapping => new JsonObject(mapping.Entries.Select(entry => KeyValuePair.Create(entry.Key, ToJson(entry.Value)))),
        YamlSequence sequence => new JsonArray([.. sequence.Items.Select(ToJson)]),
        YamlScalar { Kind: ScalarKind.Text } scalar => JsonValue.Create(scalar.Value),
        YamlScalar { Kind: ScalarKind.Boolean or ScalarKind.Whole } scalar => JsonNode.Parse(scalar.Value),

        // JSON has no infinities; kubectl sends them as texts.
        YamlScalar { Kind: ScalarKind.Real } scalar =>
            char.IsAsciiDigit(scalar.Value[^1]) ? JsonNode.Parse(scalar.Value) : JsonValue.Create(scalar.Value),
        _ => null,
    };

    /// <summary>Null if the document is not JSON; it may still be YAML then.</summary>
    internal static YamlDocument? TryRead(string file, DocumentText document, YamlLimits limits)
    {
        if (!document.Text.AsSpan().TrimStart().StartsWith("{"))
        {
            return null;
        }

        try
        {
            return new JsonBuilder(
                Encoding.UTF8.GetBytes(document.Text), limits, new PlaceCursor(file, document.FirstLine)).Build();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static YamlDocument Failed(Diagnostic diagnostic) => new(Position.None, null, [diagnostic]);

    private static YamlScalar Scalar(JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.String => ScalarResolver.Text(Position.None, value.TryGetValue<string>(out var text) ? text : value.ToString()),
        JsonValueKind.Number => ScalarResolver.Number(Position.None, value.ToJsonString()),
        JsonValueKind.True => ScalarResolver.Plain(Position.None, "true"),
        JsonValueKind.False => ScalarResolver.Plain(Position.None, "false"),
        _ => ScalarResolver.Plain(Position.None, ""),
    };
}
