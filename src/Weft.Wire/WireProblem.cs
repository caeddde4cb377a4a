// SPDX-License-Identifier: Apache-2.0

namespace Weft.Wire;

/// <summary>Something in a received resource that could not be taken (error) or is not understood and has no effect (warning).</summary>
public sealed record WireProblem(string TypeUrl, string Resource, string Field, string Fact)
{
    public override string ToString() =>
        $"{TypeUrls.ShortName(TypeUrl)} {Resource}: {(Field.Length == 0 ? "" : $"{Field}: ")}{Fact}";
}
