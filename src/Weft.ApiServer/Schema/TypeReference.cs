// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Schema;

/// <summary>The type of a value: a scalar, a list or map of another type, or a named object.</summary>
public sealed record TypeReference(ValueKind Kind, TypeReference? Element = null, string? TypeName = null)
{
    public override string ToString() => Kind switch
    {
        ValueKind.List => "[]" + Element,
        ValueKind.Map => "map[string]" + Element,
        ValueKind.Object => TypeName!,
        _ => Kind.ToString().ToLowerInvariant(),
    };
}
