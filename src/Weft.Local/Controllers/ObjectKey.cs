// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Names an object of a known kind.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ObjectKey(string Namespace, string Name)
{
    public static ObjectKey Of(JsonObject source) => new(source.Namespace(), source.Name());

    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}
