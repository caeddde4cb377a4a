// SPDX-License-Identifier: Apache-2.0

namespace Weft.Dialects.Yaml;

/// <summary>How much a text may hold before reading it stops with a diagnostic.</summary>
/// <param name="MaxDepth">Levels of mappings and sequences, aliases followed.</param>
/// <param name="MaxBytes">UTF-8 bytes of the whole text.</param>
/// <param name="MaxNodes">Values of one document, aliases counted as what they stand for.</param>
/// <param name="MaxDocuments">Documents of one text.</param>
/// <param name="MaxScalarLength">Characters of one key or value.</param>
public sealed record YamlLimits(
    int MaxDepth = 64,
    int MaxBytes = 4 << 20,
    int MaxNodes = 500_000,
    int MaxDocuments = 5_000,
    int MaxScalarLength = 1 << 20)
{
    public static YamlLimits Default { get; } = new();
}
