// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Compiler.Explain;

/// <summary>One decision on a request's way, and the object that made it (null for what the compiler adds).</summary>
public sealed record Reason(string Step, string Fact, Origin? Origin)
{
    public override string ToString() =>
        Origin is null || Origin == Origin.BuiltIn ? $"{Step}: {Fact}" : $"{Step}: {Fact}  ({Origin.Where})";
}
