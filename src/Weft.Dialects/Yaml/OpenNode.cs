// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using YamlDotNet.Core;

namespace Weft.Dialects.Yaml;

/// <summary>A collection whose end has not been reached.</summary>
internal abstract class OpenNode(Position position, AnchorName anchor)
{
    public AnchorName Anchor { get; } = anchor;

    protected Position Position { get; } = position;

    public abstract void Add(YamlNode node);

    public abstract YamlNode Complete();
}

internal sealed class OpenSequence(Position position, AnchorName anchor) : OpenNode(position, anchor)
{
    private readonly List<YamlNode> _items = [];

    public override void Add(YamlNode node) => _items.Add(node);

    public override YamlNode Complete() => new YamlSequence(Position, _items);
}

/// <summary>Takes keys and values in turn. Duplicate keys are reported and the first one is kept, so that checking can go on.</summary>
internal sealed class OpenMapping(Position position, AnchorName anchor, List<Diagnostic> diagnostics)
    : OpenNode(position, anchor)
{
    private const string MergeKey = "<<";
    private readonly List<YamlEntry> _entries = [];
    private readonly Dictionary<string, Position> _keys = new(StringComparer.Ordinal);
    private List<YamlNode>? _merges;
    private YamlNode? _key;

    public override void Add(YamlNode node)
    {
        if (_key is null)
        {
            _key = node;
            return;
        }

        var key = _key;
        _key = null;
        if (key is YamlScalar { IsPlain: true, Source: MergeKey })
        {
            (_merges ??= []).Add(node);
            return;
        }

        if (key is not YamlScalar { Kind: not ScalarKind.Null } scalar)
        {
            diagnostics.Add(ReadingMessages.KeyNotText.At(YamlReader.At(key.Position), key.Description));
            return;
        }

        // Numbers and booleans become texts as JSON has no other keys: 8080: and "8080": are the same.
        var name = scalar.Kind == ScalarKind.Real ? scalar.Source : scalar.Value;
        if (_keys.TryAdd(name, key.Position))
        {
            _entries.Add(new YamlEntry(name, key.Position, node));
        }
        else
        {
            diagnostics.Add(ReadingMessages.DuplicateKey.At(YamlReader.At(key.Position), name, _keys[name].ToString()));
        }
    }

    public override YamlNode Complete()
    {
        foreach (var merge in _merges ?? [])
        {
            Merge(merge);
        }

        return new YamlMapping(Position, _entries);
    }

    private void Merge(YamlNode merged)
    {
        switch (merged)
        {
            case YamlMapping mapping:
                foreach (var entry in mapping.Entries)
                {
                    if (_keys.TryAdd(entry.Key, entry.KeyPosition))
                    {
                        _entries.Add(entry);
                    }
                }

                break;
            case YamlSequence sequence when sequence.Items.All(item => item is YamlMapping):
                foreach (var item in sequence.Items)
                {
                    Merge(item);
                }

                break;
            default:
                diagnostics.Add(ReadingMessages.MergeNotMapping.At(YamlReader.At(merged.Position)));
                break;
        }
    }
}
