// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using Weft.Model.Diagnostics;
using YamlDotNet.Core;

namespace Weft.Dialects.Yaml;

/// <summary>Builds nodes from JSON tokens under the same limits as YAML's. Throws <see cref="JsonException"/> for what is no JSON.</summary>
internal ref struct JsonBuilder(ReadOnlySpan<byte> json, YamlLimits limits, PlaceCursor places)
{
    private readonly ReadOnlySpan<byte> _json = json;
    private readonly List<Diagnostic> _diagnostics = [];
    private readonly Stack<OpenNode> _open = new();
    private Utf8JsonReader _reader = new(json, new JsonReaderOptions { MaxDepth = limits.MaxDepth + 1 });
    private YamlNode? _root;
    private int _nodes;

    public YamlDocument Build()
    {
        while (_reader.Read())
        {
            var position = places.At(_json, _reader.TokenStartIndex);
            if (Limit(position) is { } diagnostic)
            {
                _diagnostics.Add(diagnostic);
                return new YamlDocument(position, null, _diagnostics);
            }

            Take(position);
        }

        return new YamlDocument(_root!.Position, _root, _diagnostics);
    }

    private readonly Diagnostic? Limit(Position position)
    {
        var opens = _reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
        var origin = YamlReader.At(position);
        if (opens && _open.Count == limits.MaxDepth)
        {
            return ReadingMessages.TooDeep.At(origin, YamlReader.Number(limits.MaxDepth));
        }

        if (_nodes >= limits.MaxNodes)
        {
            return ReadingMessages.TooManyNodes.At(origin, YamlReader.Number(limits.MaxNodes));
        }

        return _reader.ValueSpan.Length > limits.MaxScalarLength
            ? ReadingMessages.ScalarTooLong.At(
                origin, YamlReader.Number(_reader.ValueSpan.Length), YamlReader.Number(limits.MaxScalarLength))
            : null;
    }

    private void Take(Position position)
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                _open.Push(new OpenMapping(position, AnchorName.Empty, _diagnostics));
                break;
            case JsonTokenType.StartArray:
                _open.Push(new OpenSequence(position, AnchorName.Empty));
                break;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                Add(_open.Pop().Complete());
                break;
            case JsonTokenType.PropertyName or JsonTokenType.String:
                Add(ScalarResolver.Text(position, Text()));
                break;
            case JsonTokenType.Number:
                Add(ScalarResolver.Number(position, Encoding.ASCII.GetString(_reader.ValueSpan)));
                break;
            default:
                Add(ScalarResolver.Plain(position, Encoding.ASCII.GetString(_reader.ValueSpan)));
                break;
        }
    }

    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException problem)
        {
            // Half of a surrogate pair as an escape.
            throw new JsonException(problem.Message, problem);
        }
    }

    private void Add(YamlNode node)
    {
        _nodes++;
        if (_open.TryPeek(out var parent))
        {
            parent.Add(node);
        }
        else
        {
            _root = node;
        }
    }
}
