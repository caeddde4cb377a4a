// SPDX-License-Identifier: Apache-2.0

namespace Weft.Dialects.Yaml;

/// <summary>The text of one document and the number of its first line in the whole.</summary>
internal readonly record struct DocumentText(string Text, int FirstLine);
