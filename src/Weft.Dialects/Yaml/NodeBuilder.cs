// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Weft.Dialects.Yaml;

/// <summary>Builds one document's nodes from the parser's events. Keeps its own stack: depth costs no call stack.</summary>
internal sealed class NodeBuilder(string file, DocumentText document, YamlLimits limits)
{
    private readonly List<Diagnostic> _diagnostics = [];
    private readonly Dictionary<string, YamlNode> _anchors = new(StringComparer.Ordinal);
    private readonly Stack<OpenNode> _open = new();
    private long _nodes;
    private YamlNode? _root;

    public IReadOnlyList<Diagnostic> Diagnostics => _diagnostics;

    /// <summary>Null if the document is empty or could not be read to its end.</summary>
    public YamlNode? Build()
    {
        var parser = new Parser(new Scanner(new StringReader(document.Text), skipComments: true));
        try
        {
            while (parser.MoveNext())
            {
                if (!Take(parser.Current!))
                {
                    return null;
                }
            }
        }
        catch (YamlException problem)
        {
            _diagnostics.Add(SyntaxProblems.Describe(file, document, problem.Start, problem.Message));
            return null;
        }
        catch (Exception problem) when (problem is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // The parser answers some broken texts so, e.g. a bracket that is never closed; it has no place for them then.
            _diagnostics.Add(SyntaxProblems.Describe(file, document, parser.Current?.End ?? Mark.Empty, ""));
            return null;
        }

        return _root;
    }

    private bool Take(ParsingEvent current) => current switch
    {
        Scalar scalar => Check(scalar) && Add(Resolve(scalar), scalar.Anchor),
        AnchorAlias alias => Follow(alias),
        MappingStart start => Open(start, isMapping: true),
        SequenceStart start => Open(start, isMapping: false),
        MappingEnd or SequenceEnd => Close(),
        _ => true,
    };

    private bool Open(NodeEvent start, bool isMapping)
    {
        var position = At(start.Start);
        if (_open.Count == limits.MaxDepth)
        {
            return Refuse(ReadingMessages.TooDeep.At(YamlReader.At(position), YamlReader.Number(limits.MaxDepth)));
        }

        _open.Push(isMapping
            ? new OpenMapping(position, start.Anchor, _diagnostics)
            : new OpenSequence(position, start.Anchor));
        return CheckTag(start.Tag, position) && Count(1, position);
    }

    private bool Close()
    {
        var closed = _open.Pop();
        return Add(closed.Complete(), closed.Anchor);
    }

    private bool Follow(AnchorAlias alias)
    {
        var position = At(alias.Start);
        if (!_anchors.TryGetValue(alias.Value.Value, out var node))
        {
            return Refuse(ReadingMessages.UnknownAlias.At(YamlReader.At(position), alias.Value.Value));
        }

        return node.Height + _open.Count > limits.MaxDepth
            ? Refuse(ReadingMessages.TooDeep.At(YamlReader.At(position), YamlReader.Number(limits.MaxDepth)))
            : Count(node.Size, position) && Add(node, AnchorName.Empty);
    }

    private bool Add(YamlNode node, AnchorName anchor)
    {
        if (!anchor.IsEmpty)
        {
            _anchors[anchor.Value] = node;
        }

        if (_open.TryPeek(out var parent))
        {
            parent.Add(node);
        }
        else
        {
            _root = node;
        }

        return true;
    }

    private bool Check(Scalar scalar)
    {
        var position = At(scalar.Start);
        return scalar.Value.Length > limits.MaxScalarLength
            ? Refuse(ReadingMessages.ScalarTooLong.At(
                YamlReader.At(position), YamlReader.Number(scalar.Value.Length), YamlReader.Number(limits.MaxScalarLength)))
            : CheckTag(scalar.Tag, position) && Count(1, position);
    }

    private YamlScalar Resolve(Scalar scalar)
    {
        var isText = scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any)
            || (!scalar.Tag.IsEmpty && scalar.Tag.Value is "!" or CoreTags.Text);
        var position = At(scalar.Start);
        return isText ? ScalarResolver.Text(position, scalar.Value) : ScalarResolver.Plain(position, scalar.Value);
    }

    private bool CheckTag(TagName tag, Position position)
    {
        if (!tag.IsEmpty && !CoreTags.Known.Contains(tag.Value))
        {
            _diagnostics.Add(ReadingMessages.UnsupportedTag.At(YamlReader.At(position), tag.Value));
        }

        return true;
    }

    private bool Count(int added, Position position)
    {
        _nodes += added;
        return _nodes <= limits.MaxNodes
            || Refuse(ReadingMessages.TooManyNodes.At(YamlReader.At(position), YamlReader.Number(limits.MaxNodes)));
    }

    private bool Refuse(Diagnostic diagnostic)
    {
        _diagnostics.Add(diagnostic);
        return false;
    }

    private Position At(Mark mark) => new(file, document.FirstLine + (int)mark.Line - 1, (int)mark.Column);
}
