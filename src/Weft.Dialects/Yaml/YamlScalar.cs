// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Yaml;

/// <summary>A single value. The same value has the same <see cref="Value"/> however it was written.</summary>
public sealed class YamlScalar(Position position, ScalarKind kind, string value, string source) : YamlNode(position)
{
    public ScalarKind Kind { get; } = kind;

    /// <summary><c>true</c> or <c>false</c>, a number in its shortest form, the text itself, or empty for null.</summary>
    public string Value { get; } = value;

    /// <summary>What was written, e.g. <c>yes</c> for true or <c>010</c> for 8.</summary>
    public string Source { get; } = source;

    /// <summary>True if it was written without quotes; only so is <c>&lt;&lt;</c> a merge key.</summary>
    public bool IsPlain { get; init; }

    public override int Size => 1;

    public override int Height => 0;

    public override string Description => Kind switch
    {
        ScalarKind.Null => "empty",
        ScalarKind.Boolean => "a boolean",
        ScalarKind.Whole => "an integer",
        ScalarKind.Real => "a number",
        _ => "a text",
    };
}
