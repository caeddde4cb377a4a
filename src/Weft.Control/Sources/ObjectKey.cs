// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Control.Sources;

/// <summary>Which object: group and kind, namespace (empty for cluster-wide ones) and name.</summary>
public readonly record struct ObjectKey(string Group, string Kind, string Namespace, string Name)
{
    public static ObjectKey Of(ResourceKind kind, JsonObject item) => new(kind.Group, kind.Kind, item.Namespace(), item.Name());

    public override string ToString() => Namespace.Length == 0 ? $"{Kind}/{Name}" : $"{Kind}/{Namespace}/{Name}";
}
