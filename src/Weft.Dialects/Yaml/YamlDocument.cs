// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Yaml;

/// <summary>One document of a text: its tree, null if it could not be read, and what is wrong with it.</summary>
public sealed record YamlDocument(Position Start, YamlNode? Root, IReadOnlyList<Diagnostic> Diagnostics);
