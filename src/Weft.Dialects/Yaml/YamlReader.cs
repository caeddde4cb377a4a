// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Yaml;

/// <summary>
/// Reads YAML (and JSON, where a document begins with a brace) into nodes with places. Bounded in every direction and never
/// throws for what a text holds: each problem is a diagnostic of its document, and the other documents are read all the same.
/// </summary>
public static class YamlReader
{
    public static IReadOnlyList<YamlDocument> Read(string file, string text, YamlLimits? limits = null)
    {
        limits ??= YamlLimits.Default;
        var start = new Position(file, 1, 1);
        var size = Encoding.UTF8.GetByteCount(text);
        if (size > limits.MaxBytes)
        {
            return [new YamlDocument(start, null, [ReadingMessages.TextTooLarge.At(At(start), Number(size), Number(limits.MaxBytes))])];
        }

        var documents = new List<YamlDocument>();
        foreach (var chunk in DocumentSplitter.Split(text))
        {
            var position = new Position(file, chunk.FirstLine, 1);
            if (documents.Count == limits.MaxDocuments)
            {
                documents.Add(new YamlDocument(position, null, [ReadingMessages.TooManyDocuments.At(At(position), Number(limits.MaxDocuments))]));
                break;
            }

            if (ReadDocument(file, chunk, limits) is { } document)
            {
                documents.Add(document);
            }
        }

        return documents;
    }

    internal static Origin At(Position position) => new("yaml", "", "", "", position);

    internal static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Null for a document without content, which is no document to kubectl either.</summary>
    private static YamlDocument? ReadDocument(string file, DocumentText chunk, YamlLimits limits)
    {
        var start = new Position(file, chunk.FirstLine, 1);
        if (ControlCharacter(file, chunk) is { } diagnostic)
        {
            return new YamlDocument(start, null, [diagnostic]);
        }

        if (JsonNodes.TryRead(file, chunk, limits) is { } json)
        {
            return json;
        }

        var events = new NodeBuilder(file, chunk, limits);
        var root = events.Build();
        var isEmpty = root is null or YamlScalar { Kind: ScalarKind.Null };
        return isEmpty && events.Diagnostics.Count == 0 ? null : new YamlDocument(root?.Position ?? start, root, events.Diagnostics);
    }

    private static Diagnostic? ControlCharacter(string file, DocumentText chunk)
    {
        var (line, column) = (chunk.FirstLine, 1);
        foreach (var c in chunk.Text)
        {
            if (c == '\n')
            {
                (line, column) = (line + 1, 1);
                continue;
            }

            if (c is (< ' ' and not ('\t' or '\r')) or '\u007f' or '\ufffe' or '\uffff')
            {
                return ReadingMessages.ControlCharacter.At(At(new Position(file, line, column)), $"U+{(int)c:X4}");
            }

            column++;
        }

        return null;
    }
}
